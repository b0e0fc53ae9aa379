#include <memory>
#include <mutex>
#include <utility>

#include "grpc/client_pending.h"
#include "grpcpp/client_context.h"

namespace efl {

class Client::Streaming final : public Client::Pending,
                                public Stream,
                                public std::enable_shared_from_this<Client::Streaming> {
 public:
  Streaming(Client* client, StreamEventsPtr events)
      : client_(client),
        events_(std::move(events)),
        opened_tag_([this](bool ok) { OnOpened(ok); }),
        read_tag_([this](bool ok) { OnRead(ok); }),
        written_tag_([this](bool ok) { OnWritten(ok); }),
        finished_tag_([this](bool) { Returned(); }) {}

  void Start(const char* method, int connection) {
    self_ = shared_from_this();
    const auto line = client_->LineOf(connection);
    std::lock_guard<std::mutex> lock(mutex_);
    line_ = line;
    rpc_ = line->stub->PrepareCall(&context_, method, client_->stream_queue_);
    rpc_->StartCall(opened_tag_.Hand());
  }

  void Write(const grpc::ByteBuffer& message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (finishing_) return;
    ++owed_;
    rpc_->Write(message, written_tag_.Hand());
  }

  void Close(const grpc::Status& status) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (closed_.ok()) closed_ = status;
    }
    context_.TryCancel();
  }
  void Cancel(const Status& why) override { Close(ToGrpc(why)); }
  void Cut(const Status& why) override { Close(OfTheConnection(why)); }
  std::shared_ptr<Line> line() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return line_;
  }

 private:
  void OnOpened(bool ok) {
    if (ok) events_->OnOpen(shared_from_this());
    ReadOrFinish(ok);
  }

  void OnRead(bool ok) {
    if (ok) events_->OnMessage(&message_);
    ReadOrFinish(ok);
  }

  void ReadOrFinish(bool ok) {
    message_.Clear();
    if (ok) {
      rpc_->Read(&message_, read_tag_.Hand());
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      finishing_ = true;
    }
    rpc_->Finish(&status_, finished_tag_.Hand());
  }

  void OnWritten(bool ok) {
    if (ok) events_->OnWritten();
    Returned();
  }

  void Returned() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (--owed_ > 0) return;
    }
    const auto self = std::move(self_);
    std::exchange(events_, nullptr)->OnClosed(Outcome());
    client_->Remove(self);
  }

  grpc::Status Outcome() {
    std::lock_guard<std::mutex> lock(mutex_);
    const bool cancelled = status_.error_code() == grpc::StatusCode::CANCELLED;
    return cancelled && !closed_.ok() ? closed_ : line_->refusal->Explain(status_);
  }

  Client* const client_;
  StreamEventsPtr events_;
  Tag opened_tag_;
  Tag read_tag_;
  Tag written_tag_;
  Tag finished_tag_;
  grpc::ClientContext context_;
  grpc::ByteBuffer message_;
  grpc::Status status_;
  std::shared_ptr<Line> line_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> rpc_;
  std::shared_ptr<Streaming> self_;

  mutable std::mutex mutex_;
  int owed_ = 1;  // tags that are still to come: those of reading, up to the end, are one
  bool finishing_ = false;
  grpc::Status closed_;  // why, by this party
};

void Client::Open(const char* method, int connection, const StreamEventsPtr& events) {
  const auto stream = std::make_shared<Streaming>(this, events);
  if (Add(stream)) stream->Start(method, connection);
}

}  // namespace efl
