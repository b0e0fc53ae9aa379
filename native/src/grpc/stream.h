// One call that carries messages both ways for as long as its connection lives.
#pragma once

#include <memory>

#include "grpc/certificate.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

namespace efl {

class Stream {
 public:
  virtual ~Stream() = default;
  // One at a time: after OnOpen, and then after each OnWritten. Dropped when the stream is closed.
  virtual void Write(const grpc::ByteBuffer& message) = 0;
  // Ends it. A server's peer reads this status; of a client's it learns that it was cancelled. At
  // any time, from any thread, more than once, of which the first counts.
  virtual void Close(const grpc::Status& status) = 0;
  // Of whoever has opened it to this party.
  virtual PeerCertificatePtr caller() const { return nullptr; }
};
using StreamPtr = std::shared_ptr<Stream>;

// What happens to a stream, on threads of its queue.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // The first event, unless there is only the last.
  virtual void OnOpen(const StreamPtr& stream) = 0;
  // One at a time; the next one is read when it returns.
  virtual void OnMessage(grpc::ByteBuffer* message) = 0;
  // The last message is out of our hands, though maybe not of gRPC's. May overlap OnMessage.
  virtual void OnWritten() = 0;
  // The last event. The status is what the other side said, or what gRPC says of the connection; of
  // one that was closed here first, why.
  virtual void OnClosed(const grpc::Status& status) = 0;
};
using StreamEventsPtr = std::shared_ptr<StreamEvents>;

}  // namespace efl
