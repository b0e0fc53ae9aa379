// What a client has under way, and what is known of the servers it goes to.
#pragma once

#include <memory>
#include <mutex>

#include "base/status.h"
#include "grpc/client.h"
#include "grpc/grpc_status.h"

namespace efl {

// What ends whatever goes on over the next connection.
inline grpc::Status OfTheConnection(const Status& why) {
  return {grpc::StatusCode::UNAVAILABLE, ToGrpc(why).error_message()};
}

// What the queue still owes us a tag for. Registered with the client from before its start until
// its tag has run, so that the queue is shut down only when nothing can be started on it any more.
class Client::Pending : public ClientCall {
 public:
  // Ends it because its connection is given up.
  virtual void Cut(const Status& why) = 0;
  virtual bool unary() const { return false; }
  // What it goes over; null: nothing yet, or never.
  virtual std::shared_ptr<Line> line() const { return nullptr; }
};

// Whether the certificate of the server at the other end of a line was verified and not let in:
// gRPC calls that UNAVAILABLE.
class Client::Refusal {
 public:
  Status Note(const PeerCertificatePtr& server, const Status& verdict) {
    std::lock_guard<std::mutex> lock(mutex_);
    last_ = verdict;
    server_ = server;
    return verdict;
  }
  PeerCertificatePtr server() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return server_;
  }
  grpc::Status Explain(const grpc::Status& status) const {
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status;
    std::lock_guard<std::mutex> lock(mutex_);
    if (last_.ok()) return status;
    return {grpc::StatusCode::UNAUTHENTICATED, last_.message()};
  }

 private:
  mutable std::mutex mutex_;
  Status last_;
  PeerCertificatePtr server_;
};

}  // namespace efl
