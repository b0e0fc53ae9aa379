#include "wire/link/link_message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/crc32c.h"
#include "fuzz/byte_buffer.h"

namespace efl {
namespace {

using fuzz::Flat;
using fuzz::InPieces;

class LinkMessageTest : public testing::Test {
 protected:
  LinkMessageTest() {
    LinkOpen* open = control.add_frames()->mutable_open();
    open->set_transfer(7);
    open->set_name("fc1");
    for (const std::string* part : {&first, &second}) {
      LinkChunk* chunk = control.add_frames()->mutable_chunk();
      chunk->set_size(static_cast<uint32_t>(part->size()));
      chunk->set_crc32c(Crc32c(part->data(), part->size()));
    }
    data.AddCopy(first.data(), first.size());
    data.Add(grpc::Slice(second));
  }

  const std::string first = "short", second = std::string(70'000, 'z');
  LinkControl control;
  ChunkData data;
};

TEST_F(LinkMessageTest, ShouldComeOutAsItWentIn) {
  const std::string bytes = Flat(EncodeLinkMessage(control, std::move(data)));
  for (const size_t size : {size_t{1}, size_t{13}, size_t{4096}, bytes.size()}) {
    LinkMessageReader reader;
    LinkControl read;
    ASSERT_EQ(reader.Read(InPieces(bytes, size), &read).Text(), "OK");
    EXPECT_EQ(read.SerializeAsString(), control.SerializeAsString());
    for (const std::string* part : {&first, &second}) {
      Span span;
      ASSERT_TRUE(reader.Next(part->size(), &span));
      EXPECT_EQ(span.Crc32c(), Crc32c(part->data(), part->size()));
      std::string copy(span.size(), '\0');
      EXPECT_EQ(span.ToKeep().CopyTo(copy.data()), span.Crc32c());
      EXPECT_EQ(copy, *part);
    }
    EXPECT_EQ(reader.left(), 0u);
    Span more;
    EXPECT_FALSE(reader.Next(1, &more));
  }
}

TEST_F(LinkMessageTest, ShouldBeWhatProtobufMakesOfTheSchema) {
  LinkMessage message;
  ASSERT_TRUE(message.ParseFromString(Flat(EncodeLinkMessage(control, std::move(data)))));
  EXPECT_EQ(message.data(), first + second);
  EXPECT_EQ(message.control(), control.SerializeAsString());
  EXPECT_EQ(message.control_crc32c(), Crc32c(message.control().data(), message.control().size()));
}

TEST_F(LinkMessageTest, ShouldNoticeEveryDamagedByteOfItsFrames) {
  const std::string bytes = Flat(EncodeLinkMessage(control, std::move(data)));
  for (size_t at = 0; at + first.size() + second.size() < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    LinkMessageReader reader;
    LinkControl read;
    EXPECT_EQ(reader.Read(InPieces(damaged, 4096), &read).code(), Code::kUnknown) << at;
  }
}

TEST_F(LinkMessageTest, ShouldNoticeThatItWasCutShort) {
  const std::string bytes = Flat(EncodeLinkMessage(control, std::move(data)));
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 10) {
    if (size + first.size() + second.size() >= bytes.size() && size + 1 > bytes.size()) break;
    LinkMessageReader reader;
    LinkControl read;
    const Status status = reader.Read(InPieces(bytes.substr(0, size), 4096), &read);
    EXPECT_TRUE(!status.ok() || reader.left() < first.size() + second.size()) << size;
  }
}

}  // namespace
}  // namespace efl
