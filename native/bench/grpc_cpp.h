// System grpc-cpp: bare gRPC, one asynchronous stream of byte buffers in each direction. What it
// reaches is the ceiling of everything that is built on gRPC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "args.h"
#include "grpcpp/channel.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"

namespace efl::bench {

void ServeGrpc(const Args& args);
void DriveGrpc(const Args& args);

constexpr const char* kMethod = "/efl.bench/Stream";

// Of one message of the stream.
size_t ChunkOf(const Args& args);

// Tuned as TUNING.md says, then as the command line does.
std::shared_ptr<grpc::Channel> MakeChannel(const Args& args);
void Tune(const Args& args, grpc::ServerBuilder* builder);

// A message of 8 bytes: an answer, as of tcp.
grpc::ByteBuffer Pack(uint64_t number);
uint64_t Unpack(const grpc::ByteBuffer& message);

}  // namespace efl::bench
