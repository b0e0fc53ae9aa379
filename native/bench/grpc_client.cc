#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "grpc_cpp.h"
#include "grpcpp/generic/generic_stub.h"
#include "pattern.h"
#include "process.h"
#include "roundtrip.h"
#include "throughput.h"

namespace efl::bench {
namespace {

// One write and one read under way at a time, as gRPC has it. One thread: it waits and writes.
class ClientStream {
 public:
  explicit ClientStream(const Args& args)
      : limit_s_(args.limit_s), channel_(MakeChannel(args)), stub_(channel_) {
    if (args.buffer_hint) write_options_.set_buffer_hint();
    context_.set_wait_for_ready(true);
    stream_ = stub_.PrepareCall(&context_, kMethod, &queue_);
    stream_->StartCall(&started_);
    RunUntil([this] { return ready_; });
    stream_->Read(&incoming_, &read_);
  }

  ~ClientStream() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // The payload stays as it is until the other side has answered.
  void Write(const uint8_t* data, size_t size) {
    grpc::Slice slice(
        const_cast<uint8_t*>(data), size, [](void*) {}, nullptr);
    outgoing_.emplace_back(&slice, 1);
    WriteNext();
  }

  grpc::ByteBuffer Read() {
    RunUntil([this] { return !arrived_.empty(); });
    grpc::ByteBuffer message = std::move(arrived_.front());
    arrived_.pop_front();
    return message;
  }

 private:
  template <typename Condition>
  void RunUntil(const Condition& condition) {
    while (!condition()) {
      void* tag = nullptr;
      bool ok = false;
      const auto limit = std::chrono::system_clock::now() + std::chrono::seconds(limit_s_);
      if (queue_.AsyncNext(&tag, &ok, limit) != grpc::CompletionQueue::GOT_EVENT) {
        Die("gRPC's queue brought nothing within the limit");
      }
      if (!ok) Die("the stream has ended");
      OnEvent(tag);
    }
  }

  void OnEvent(void* tag) {
    if (tag == &started_) {
      ready_ = true;
    } else if (tag == &written_) {
      writing_ = false;
      Progress();
      WriteNext();
    } else {
      arrived_.push_back(std::move(incoming_));
      incoming_.Clear();
      stream_->Read(&incoming_, &read_);
    }
  }

  void WriteNext() {
    if (writing_ || outgoing_.empty()) return;
    writing_ = true;
    stream_->Write(outgoing_.front(), write_options_, &written_);
    outgoing_.pop_front();
  }

  const int limit_s_;
  grpc::CompletionQueue queue_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::WriteOptions write_options_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::deque<grpc::ByteBuffer> outgoing_;
  std::deque<grpc::ByteBuffer> arrived_;
  grpc::ByteBuffer incoming_;
  bool ready_ = false;
  bool writing_ = false;
  // Tags, known by their addresses.
  char started_ = 0;
  char written_ = 0;
  char read_ = 0;
};

class GrpcLink final : public Link {
 public:
  explicit GrpcLink(const Args& args) : chunk_(ChunkOf(args)), stream_(args) {}

  void Send(uint64_t, const uint8_t* data, size_t size) override {
    for (size_t at = 0; at < size; at += chunk_) {
      stream_.Write(data + at, std::min(chunk_, size - at));
    }
  }
  void AwaitArrival() override { Await(arrived_++); }
  void AwaitVerified() override { Await(arrived_ - 1); }

 private:
  void Await(uint64_t expected) {
    if (Unpack(stream_.Read()) != expected) Die("an answer for another tensor");
  }

  const size_t chunk_;
  ClientStream stream_;
  uint64_t arrived_ = 0;
};

class GrpcEcho final : public Echo {
 public:
  explicit GrpcEcho(const Args& args) : stream_(args) {}

  void Exchange(const uint8_t* data, size_t size) override {
    stream_.Write(data, size);
    answer_ = stream_.Read();
  }

  bool Fits(size_t size, uint64_t id) const override {
    std::vector<grpc::Slice> slices;
    if (answer_.Length() != size || !answer_.Dump(&slices).ok()) return false;
    size_t offset = 0;
    for (const grpc::Slice& slice : slices) {
      if (!AllFits(slice.begin(), offset, slice.size(), size, id)) return false;
      offset += slice.size();
    }
    return true;
  }

 private:
  ClientStream stream_;
  grpc::ByteBuffer answer_;
};

}  // namespace

void DriveGrpc(const Args& args) {
  if (args.test_case == "roundtrip") {
    GrpcEcho echo(args);
    DriveRoundTrips(args, &echo);
  } else {
    GrpcLink link(args);
    DriveThroughput(args, &link);
  }
}

}  // namespace efl::bench
