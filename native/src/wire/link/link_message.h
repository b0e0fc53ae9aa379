// A message of the link as gRPC's bytes: its frames through protobuf, its chunks by reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/status.h"
#include "efl/link_service.pb.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace efl {

// The chunks of one message, in their order.
class ChunkData {
 public:
  // Keeps a reference.
  void Add(const grpc::Slice& slice);
  // Copies; for what is shorter than the bookkeeping of a reference.
  void AddCopy(const void* data, size_t size);
  uint64_t size() const { return size_; }

 private:
  friend grpc::ByteBuffer EncodeLinkMessage(const LinkControl& control, ChunkData data);
  void EndRun();

  std::vector<grpc::Slice> slices_;
  std::string run_;
  uint64_t size_ = 0;
};

grpc::ByteBuffer EncodeLinkMessage(const LinkControl& control, ChunkData data);

// Consecutive bytes of a message, in the memory that gRPC received them into.
class Span {
 public:
  void Add(const grpc::Slice& slice, size_t offset, size_t size);
  size_t size() const { return size_; }
  // A copy in memory of its own, or references: whatever keeps less.
  Span ToKeep() const;

  uint32_t Crc32c() const;
  // Copies all of it, and returns its CRC32C. `past_cache`: as for CopyCrc32c.
  uint32_t CopyTo(char* to, bool past_cache = false) const;

 private:
  struct Part {
    grpc::Slice slice;
    size_t offset;
    size_t size;
  };
  absl::InlinedVector<Part, 2> parts_;
  size_t size_ = 0;
};

// A message that came in.
class LinkMessageReader {
 public:
  // UNKNOWN: it is damaged, or no message.
  Status Read(const grpc::ByteBuffer& bytes, LinkControl* control);
  // The next chunk; false when the message holds less.
  bool Next(size_t size, Span* span);
  // What no chunk has taken.
  uint64_t left() const { return left_; }

 private:
  bool TakeHeader(std::string* control, uint32_t* crc);
  bool TakeByte(uint8_t* byte);
  bool TakeVarint(uint64_t* value);
  // Calls use(slice, offset, size) for each part of the next bytes, which are there.
  template <typename Use>
  void Take(size_t size, Use use);

  std::vector<grpc::Slice> slices_;
  size_t slice_ = 0;
  size_t offset_ = 0;
  uint64_t left_ = 0;
};

}  // namespace efl
