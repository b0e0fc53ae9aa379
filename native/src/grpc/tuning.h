// What is said to gRPC of every connection, at both ends, so that large messages flow: measured in
// native/bench.
#pragma once

#include "grpc/impl/codegen/grpc_types.h"

namespace efl {

// What takes an (argument name, number): a server's builder, or a client's arguments.
template <typename SetInt>
void TuneConnection(SetInt set) {
  // Large reads from the socket.
  set("grpc.experimental.tcp_read_chunk_size", 256 << 10);
  set("grpc.experimental.tcp_min_read_chunk_size", 256 << 10);
  set("grpc.experimental.tcp_max_read_chunk_size", 4 << 20);
  // One frame of HTTP/2 for each chunk and what goes with it.
  set(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 2 << 20);
  // A window that a long line doesn't wait for; the link has one of its own.
  set(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 256 << 20);
}

}  // namespace efl
