// A party written from docs/protocol.md with protobuf and gRPC's own stub, that keeps to it, or
// doesn't.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "efl/link_service.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "support/pair.h"

namespace efl::test {

// What it asks for: the shortest chunks there may be.
constexpr uint32_t kRawChunk = 1 << 10;
constexpr uint64_t kFloatsOfAChunk = kRawChunk / sizeof(float);

// So many bytes, no chunk of which is like another.
inline std::string Content(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / kRawChunk);
  return bytes;
}

class RawPeer {
 public:
  explicit RawPeer(int port)
      : RawPeer(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                                    grpc::InsecureChannelCredentials())) {}
  explicit RawPeer(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(LinkService::NewStub(channel)), stream_(stub_->Exchange(Limited(&context_))) {}
  ~RawPeer() { context_.TryCancel(); }

  void Send(LinkControl control, const std::string& data = {}) {
    LinkMessage message;
    control.set_message(++sent_);
    message.set_control(control.SerializeAsString());
    message.set_control_crc32c(Crc32c(message.control().data(), message.control().size()));
    message.set_data(data);
    stream_->Write(message);
  }

  // The frames of the next message; none when there is no more.
  LinkControl Receive() {
    LinkMessage message;
    LinkControl control;
    if (!stream_->Read(&message)) return control;
    EXPECT_EQ(message.control_crc32c(), Crc32c(message.control().data(), message.control().size()));
    EXPECT_TRUE(control.ParseFromString(message.control()));
    EXPECT_EQ(control.message(), ++received_);
    return control;
  }

  // Reads until a transfer is done.
  LinkDone AwaitDone() { return Await(&LinkFrame::has_done).done(); }
  // Reads until a question is answered.
  LinkReply AwaitReply() { return Await(&LinkFrame::has_reply).reply(); }

  static LinkControl Hello(uint64_t session = 42, bool resumes = false) {
    LinkControl control;
    LinkHello* hello = control.add_frames()->mutable_hello();
    hello->mutable_pair()->set_protocol_version(1);
    hello->mutable_pair()->set_role(PARTY_ROLE_FOLLOWER);
    hello->mutable_pair()->set_party_id("raw");
    hello->mutable_pair()->set_incarnation(7);
    hello->set_session(session);
    hello->set_resumes(resumes);
    hello->mutable_terms()->set_window_bytes(1 << 20);
    hello->mutable_terms()->set_chunk_bytes(kRawChunk);
    hello->mutable_terms()->set_connections(1);
    return control;
  }

  // The Welcome that comes next.
  LinkWelcome AwaitWelcome() {
    const LinkControl control = Receive();
    EXPECT_TRUE(control.frames_size() == 1 && control.frames(0).has_welcome());
    return control.frames_size() == 1 ? control.frames(0).welcome() : LinkWelcome();
  }

  // How the other party has ended the call.
  grpc::Status End() {
    LinkMessage message;
    while (stream_->Read(&message)) {
    }
    return stream_->Finish();
  }

  // The next message gets lost.
  void Skip() { ++sent_; }

 private:
  // The first such frame of a message.
  LinkFrame Await(bool (LinkFrame::*is)() const) {
    for (;;) {
      const LinkControl control = Receive();
      if (control.frames_size() == 0 && control.received() == 0) {
        ADD_FAILURE() << "the stream has ended";
        return {};
      }
      for (const LinkFrame& frame : control.frames()) {
        if ((frame.*is)()) return frame;
      }
    }
  }

  static grpc::ClientContext* Limited(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + kLimit);
    return context;
  }

  std::unique_ptr<LinkService::Stub> stub_;
  grpc::ClientContext context_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  std::unique_ptr<grpc::ClientReaderWriter<LinkMessage, LinkMessage>> stream_;
};

inline LinkOpen* AddOpen(LinkControl* control, uint64_t transfer, uint64_t step, uint64_t floats) {
  LinkOpen* open = control->add_frames()->mutable_open();
  open->set_transfer(transfer);
  open->set_name("x");
  open->set_step(step);
  open->set_dtype(kFloat);
  open->add_dims(static_cast<int64_t>(floats));
  open->set_size(floats * sizeof(float));
  open->set_encoded_size(floats * sizeof(float));
  return open;
}

inline void AddChunk(LinkControl* control, uint64_t transfer, uint64_t offset,
                     const std::string& bytes) {
  LinkChunk* chunk = control->add_frames()->mutable_chunk();
  chunk->set_transfer(transfer);
  chunk->set_offset(offset);
  chunk->set_size(static_cast<uint32_t>(bytes.size()));
  chunk->set_crc32c(Crc32c(bytes.data(), bytes.size()));
}

}  // namespace efl::test
