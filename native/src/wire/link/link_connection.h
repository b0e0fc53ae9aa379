// One stream of a link.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "wire/link/link.h"

namespace efl {

class Link::Connection final : public StreamEvents,
                               public std::enable_shared_from_this<Link::Connection> {
 public:
  Connection(std::shared_ptr<Link> link, std::shared_ptr<void> keep, bool dialled, uint32_t index,
             uint64_t epoch)
      : link_(std::move(link)),
        keep_(std::move(keep)),
        dialled_(dialled),
        index_(index),
        epoch_(epoch) {}

  void OnOpen(const StreamPtr& stream) override {
    grpc::Status closed;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stream_ = stream;
      closed = closed_;
    }
    if (closed.ok()) {
      link_->OnOpen(shared_from_this());
    } else {
      stream->Close(closed);
    }
  }
  void OnMessage(grpc::ByteBuffer* message) override {
    link_->OnMessage(shared_from_this(), message);
  }
  void OnWritten() override {
    {
      std::lock_guard<std::mutex> lock(link_->mutex_);
      writing_ = false;
    }
    link_->Pump();
  }
  void OnClosed(const grpc::Status& status) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stream_ = nullptr;
    }
    link_->OnClosed(shared_from_this(), status);
    keep_ = nullptr;
  }

  void Write(const grpc::ByteBuffer& message) {
    if (const StreamPtr stream = Get()) stream->Write(message);
  }
  // At once, or as soon as it is open.
  void Close(const Status& status) {
    const grpc::Status said(static_cast<grpc::StatusCode>(status.code()), status.message());
    StreamPtr stream;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stream = stream_;
      closed_ = said;
    }
    if (stream != nullptr) stream->Close(said);
  }

  bool dialled() const { return dialled_; }
  // Of a connection that was dialled: how long the other party has taken to let it in, so far.
  std::chrono::steady_clock::duration Asking() const {
    return std::chrono::steady_clock::now() - asked_at_;
  }
  void set_asked_now() { asked_at_ = std::chrono::steady_clock::now(); }
  uint32_t index() const { return index_; }
  uint64_t epoch() const { return epoch_; }

  // Under the link's lock.
  void set_index(uint32_t index) { index_ = index; }
  bool ready() const { return ready_; }
  void set_ready() { ready_ = true; }
  bool broken() const { return broken_; }
  void set_broken() { broken_ = true; }
  bool writing() const { return writing_; }
  void set_writing() { writing_ = true; }

 private:
  StreamPtr Get() {
    std::lock_guard<std::mutex> lock(mutex_);
    return stream_;
  }

  const std::shared_ptr<Link> link_;
  std::shared_ptr<void> keep_;
  const bool dialled_;
  uint32_t index_;
  const uint64_t epoch_;
  std::chrono::steady_clock::time_point asked_at_;  // on the threads of the stream alone
  bool ready_ = false;                              // the handshake is over
  bool broken_ = false;                             // what it still brings doesn't count
  bool writing_ = false;                            // a message is under way

  std::mutex mutex_;
  StreamPtr stream_;
  grpc::Status closed_;
};

}  // namespace efl
