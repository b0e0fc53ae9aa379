#include "wire/link/link_message.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/crc32c.h"
#include "google/protobuf/io/coded_stream.h"

namespace efl {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Tags of LinkMessage: field number << 3 | wire type.
constexpr uint8_t kControlCrc = 1 << 3 | 5, kControl = 2 << 3 | 2, kData = 3 << 3 | 2;
// What stands around the frames: three tags, the CRC and two lengths.
constexpr size_t kMostAround = 3 + 4 + 5 + 10;
// Frames are many at most, and short each.
constexpr size_t kMaxControl = 16 << 20;
// A shorter chunk is kept in memory of its own: a reference may hold all that was read with it.
constexpr size_t kKeepByCopy = 64 << 10;

}  // namespace

void ChunkData::Add(const grpc::Slice& slice) {
  EndRun();
  slices_.push_back(slice);
  size_ += slice.size();
}

void ChunkData::AddCopy(const void* data, size_t size) {
  run_.append(static_cast<const char*>(data), size);
  size_ += size;
}

void ChunkData::EndRun() {
  if (run_.empty()) return;
  slices_.emplace_back(run_);
  run_.clear();
}

grpc::ByteBuffer EncodeLinkMessage(const LinkControl& control, ChunkData data) {
  const size_t control_size = control.ByteSizeLong();
  std::string head(control_size + kMostAround, '\0');
  auto* const begin = reinterpret_cast<uint8_t*>(head.data());
  uint8_t* at = begin;
  *at++ = kControlCrc;
  uint8_t* const crc_at = at;
  at += sizeof(uint32_t);
  *at++ = kControl;
  at = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(control_size), at);
  uint8_t* const control_at = at;
  at = control.SerializeWithCachedSizesToArray(at);
  CodedOutputStream::WriteLittleEndian32ToArray(Crc32c(control_at, control_size), crc_at);
  if (data.size() > 0) {
    *at++ = kData;
    at = CodedOutputStream::WriteVarint64ToArray(data.size(), at);
  }
  head.resize(static_cast<size_t>(at - begin));
  // Short chunks travel with the frames.
  if (data.slices_.empty()) head += std::exchange(data.run_, {});
  data.EndRun();
  data.slices_.insert(data.slices_.begin(), grpc::Slice(head));
  return {data.slices_.data(), data.slices_.size()};
}

void Span::Add(const grpc::Slice& slice, size_t offset, size_t size) {
  parts_.push_back({slice, offset, size});
  size_ += size;
}

Span Span::ToKeep() const {
  if (size_ > kKeepByCopy) return *this;
  std::string bytes(size_, '\0');
  CopyTo(bytes.data());
  Span kept;
  kept.Add(grpc::Slice(bytes), 0, size_);
  return kept;
}

uint32_t Span::Crc32c() const {
  uint32_t crc = 0;
  for (const Part& part : parts_) {
    crc = efl::Crc32c(part.slice.begin() + part.offset, part.size, crc);
  }
  return crc;
}

uint32_t Span::CopyTo(char* to, bool past_cache) const {
  uint32_t crc = 0;
  for (const Part& part : parts_) {
    crc = CopyCrc32c(to, part.slice.begin() + part.offset, part.size, crc, past_cache);
    to += part.size;
  }
  return crc;
}

Status LinkMessageReader::Read(const grpc::ByteBuffer& bytes, LinkControl* control) {
  std::string encoded;
  uint32_t crc = 0;
  if (!bytes.Dump(&slices_).ok()) return {Code::kUnknown, "a message that cannot be read"};
  left_ = bytes.Length();
  if (!TakeHeader(&encoded, &crc)) return {Code::kUnknown, "a message that is none of the link"};
  if (Crc32c(encoded.data(), encoded.size()) != crc) {
    return {Code::kUnknown, "a message was damaged on the way"};
  }
  if (!control->ParseFromString(encoded)) return {Code::kUnknown, "frames that cannot be read"};
  return {};
}

// The fields in their order, each once; the data may be missing.
bool LinkMessageReader::TakeHeader(std::string* control, uint32_t* crc) {
  uint8_t tag = 0;
  if (!TakeByte(&tag) || tag != kControlCrc) return false;
  uint8_t number[sizeof(uint32_t)] = {};
  for (uint8_t& byte : number) {
    if (!TakeByte(&byte)) return false;
  }
  CodedInputStream::ReadLittleEndian32FromArray(number, crc);
  uint64_t size = 0;
  if (!TakeByte(&tag) || tag != kControl || !TakeVarint(&size)) return false;
  if (size > std::min<uint64_t>(left_, kMaxControl)) return false;
  control->reserve(size);
  Take(size, [control](const grpc::Slice& slice, size_t offset, size_t part) {
    control->append(reinterpret_cast<const char*>(slice.begin()) + offset, part);
  });
  if (left_ == 0) return true;
  return TakeByte(&tag) && tag == kData && TakeVarint(&size) && size == left_;
}

template <typename Use>
void LinkMessageReader::Take(size_t size, Use use) {
  left_ -= size;
  while (size > 0) {
    const grpc::Slice& slice = slices_[slice_];
    const size_t part = std::min(size, slice.size() - offset_);
    if (part > 0) use(slice, offset_, part);
    offset_ += part;
    size -= part;
    if (offset_ == slice.size()) {
      ++slice_;
      offset_ = 0;
    }
  }
}

bool LinkMessageReader::TakeByte(uint8_t* byte) {
  if (left_ == 0) return false;
  Take(1, [byte](const grpc::Slice& slice, size_t offset, size_t) {
    *byte = *(slice.begin() + offset);
  });
  return true;
}

bool LinkMessageReader::TakeVarint(uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t byte = 0;
    if (!TakeByte(&byte)) return false;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool LinkMessageReader::Next(size_t size, Span* span) {
  if (size > left_) return false;
  Take(size, [span](const grpc::Slice& slice, size_t offset, size_t part) {
    span->Add(slice, offset, part);
  });
  return true;
}

}  // namespace efl
