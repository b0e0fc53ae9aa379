// One stream of a link.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "grpc/grpc_status.h"
#include "wire/link/link.h"

namespace efl {

class Link::Connection final : public StreamEvents,
                               public std::enable_shared_from_this<Link::Connection> {
 public:
  Connection(std::shared_ptr<Link> link, std::shared_ptr<void> keep, PeerCertificatePtr caller,
             bool dialled, uint32_t index, uint64_t epoch, uint64_t attempt)
      : link_(std::move(link)),
        keep_(std::move(keep)),
        caller_(std::move(caller)),
        dialled_(dialled),
        index_(index),
        epoch_(epoch),
        attempt_(attempt) {}

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
    working_ = true;
    link_->OnMessage(shared_from_this(), message);
    working_ = false;
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
      std::lock_guard<std::mutex> lock(link_->mutex_);
      over_ = true;
    }
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
    const grpc::Status said = ToGrpc(status);
    StreamPtr stream;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stream = stream_;
      closed_ = said;
    }
    if (stream != nullptr) stream->Close(said);
  }

  bool dialled() const { return dialled_; }
  const PeerCertificatePtr& caller() const { return caller_; }
  // Of a connection that was dialled: how long the other party has taken to let it in, so far.
  std::chrono::steady_clock::duration Asking() const {
    return std::chrono::steady_clock::now() - asked_at_;
  }
  void set_asked_now() { asked_at_ = std::chrono::steady_clock::now(); }
  uint32_t index() const { return index_; }
  uint64_t epoch() const { return epoch_; }
  uint64_t attempt() const { return attempt_; }

  // Under the link's lock.
  void set_index(uint32_t index) { index_ = index; }
  bool ready() const { return ready_; }
  void set_ready() { ready_ = true; }
  bool broken() const { return broken_; }
  void set_broken() { broken_ = true; }
  // What was closed brings and takes nothing any more.
  bool closed() const { return over_; }
  // The number of the next message to be written.
  uint64_t NextMessage() { return ++written_; }
  // On the threads of the stream alone: whether this is the one that comes next.
  bool IsNext(uint64_t message) { return message == ++read_; }
  // Likewise: a party says Hello once.
  bool TakeHello() { return !std::exchange(greeted_, true); }
  // What it brought is being worked on.
  bool working() const { return working_; }
  bool writing() const { return writing_; }
  void set_writing() { writing_ = true; }

  // Under the link's lock: when either party has last said something, and what is to be said next.
  struct Pulse {
    std::chrono::steady_clock::time_point heard, said, pinged;
    bool brought = false;  // anything but talk
    uint64_t ping = 0;     // the number of the last one
    bool ping_due = false;
    uint64_t pong_due = 0;  // 0: none
  };
  Pulse pulse;

 private:
  StreamPtr Get() {
    std::lock_guard<std::mutex> lock(mutex_);
    return stream_;
  }

  const std::shared_ptr<Link> link_;
  std::shared_ptr<void> keep_;
  const PeerCertificatePtr caller_;  // of one that was accepted
  const bool dialled_;
  uint32_t index_;
  const uint64_t epoch_;
  const uint64_t attempt_;
  std::chrono::steady_clock::time_point asked_at_;  // on the threads of the stream alone
  bool ready_ = false;                              // the handshake is over
  bool broken_ = false;                             // what it still brings doesn't count
  bool writing_ = false;                            // a message is under way
  bool over_ = false;
  uint64_t written_ = 0;
  uint64_t read_ = 0;
  bool greeted_ = false;
  std::atomic<bool> working_{false};

  std::mutex mutex_;
  StreamPtr stream_;
  grpc::Status closed_;
};

}  // namespace efl
