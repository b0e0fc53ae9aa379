#include "wire/link/link_message.h"

#include <string>

#include "base/crc32c.h"
#include "fuzz/byte_buffer.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {
namespace {

void AppendVarint(std::string* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to->push_back(static_cast<char>(value | 0x80));
  to->push_back(static_cast<char>(value));
}

// What a peer would have to send so that it gets past the checksum.
std::string Framed(const std::string& control, const std::string& data) {
  const uint32_t crc = Crc32c(control.data(), control.size());
  std::string message("\x0d", 1);
  message.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  message += '\x12';
  AppendVarint(&message, control.size());
  message += control;
  if (!data.empty()) {
    message += '\x1a';
    AppendVarint(&message, data.size());
    message += data;
  }
  return message;
}

void Read(const std::string& message, size_t piece) {
  LinkMessageReader reader;
  LinkControl control;
  if (!reader.Read(InPieces(message, piece), &control).ok()) return;
  ChunkData data;
  for (const LinkFrame& frame : control.frames()) {
    if (!frame.has_chunk()) continue;
    Span span;
    const uint64_t left = reader.left();
    if (!reader.Next(frame.chunk().size(), &span)) {
      Check(frame.chunk().size() > left, "a chunk that is there can be taken");
      return;
    }
    Check(span.size() == frame.chunk().size(), "a chunk has its size");
    Check(reader.left() == left - span.size(), "a chunk is taken once");
    std::string copy(span.size(), '\0');
    const uint32_t crc = span.CopyTo(copy.data());
    Check(crc == span.Crc32c() && crc == span.ToKeep().Crc32c(), "all ways lead to one checksum");
    Check(crc == Crc32c(copy.data(), copy.size()), "what was copied is what was summed");
    data.AddCopy(copy.data(), copy.size());
  }
  // What was read can be written, and read again.
  const uint64_t size = data.size();
  LinkMessageReader again;
  LinkControl same;
  Check(again.Read(EncodeLinkMessage(control, std::move(data)), &same).ok(), "it can be written");
  Check(same.frames_size() == control.frames_size() && again.left() == size,
        "what was written is what was read");
}

}  // namespace

void LinkMessage(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t mode = input.Byte();
  const size_t piece = mode % 2 == 0 ? 1 + mode / 2 % 16 : size + 1;
  if (mode < 128) {
    Read(input.Rest(), piece);
    return;
  }
  const std::string control = input.Bytes(input.Number());
  Read(Framed(control, input.Rest()), piece);
}

}  // namespace efl::fuzz
