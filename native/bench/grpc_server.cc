#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

#include "grpc_cpp.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "pattern.h"
#include "process.h"
#include "roundtrip.h"
#include "throughput.h"

namespace efl::bench {
namespace {

// One call; the thread that serves it does all the work, and has one operation under way at a time.
class ServerStream {
 public:
  explicit ServerStream(const Args& args) {
    grpc::ServerBuilder builder;
    Tune(args, &builder);
    builder.RegisterAsyncGenericService(&service_);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) Die("can't listen on " + std::to_string(args.port));
  }

  void Accept() {
    service_.RequestCall(&context_, &stream_, queue_.get(), queue_.get(), this);
    Await();
  }

  void Read(grpc::ByteBuffer* message) {
    message->Clear();
    stream_.Read(message, this);
    Await();
  }

  void Write(const grpc::ByteBuffer& message) {
    stream_.Write(message, this);
    Await();
  }

 private:
  // As long as it takes: serve is limited as a whole.
  void Await() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_->Next(&tag, &ok) || !ok) {
      WaitForEnd();  // the driver has gone, and knows why
    }
  }

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
};

class TensorReader {
 public:
  TensorReader(const Args& args, ServerStream* stream)
      : stream_(stream), into_(args.land_copy ? args.bytes : 0) {}

  void ReadRound(const Round& round) {
    for (int i = 0; i < round.count; ++i) ReadOne(round.bytes, &MarksFit);
    if (into_.size() == 0) {
      ReadOne(round.bytes, &AllFits);
    } else if (!AllFits(into_.data(), 0, round.bytes, round.bytes, next_ - 1)) {
      Die("a damaged tensor");
    }
    stream_->Write(Pack(next_ - 1));
  }

 private:
  using Check = bool (*)(const uint8_t*, size_t, size_t, size_t, uint64_t);

  // Checks the pieces, or, where they are copied into place, what has been copied.
  void ReadOne(size_t total, Check check) {
    grpc::ByteBuffer message;
    for (size_t offset = 0; offset < total;) {
      stream_->Read(&message);
      Progress();
      std::vector<grpc::Slice> slices;
      if (!message.Dump(&slices).ok() || message.Length() > total - offset) Die("a wrong message");
      for (const grpc::Slice& slice : slices) {
        const uint8_t* piece = Land(slice, offset);
        if (!check(piece, offset, slice.size(), total, next_)) Die("a wrong tensor");
        offset += slice.size();
      }
    }
    stream_->Write(Pack(next_++));
  }

  const uint8_t* Land(const grpc::Slice& slice, size_t offset) {
    if (into_.size() == 0) return slice.begin();
    std::memcpy(into_.data() + offset, slice.begin(), slice.size());
    return into_.data() + offset;
  }

  ServerStream* const stream_;
  Buffer into_;
  uint64_t next_ = 0;
};

}  // namespace

void ServeGrpc(const Args& args) {
  ServerStream stream(args);
  TensorReader reader(args, &stream);
  PrintReady();
  stream.Accept();
  if (args.test_case == "roundtrip") {
    grpc::ByteBuffer message;
    for (int i = 0; i < args.warm + args.count; ++i) {
      stream.Read(&message);
      stream.Write(message);
      Progress();
    }
  } else {
    for (const Round& round : RoundsOf(args)) reader.ReadRound(round);
  }
  WaitForEnd();
}

}  // namespace efl::bench
