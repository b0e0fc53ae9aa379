// A party written from docs/protocol.md with protobuf and gRPC's own stub, that keeps to it, or
// doesn't.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "efl/link_service.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "support/pair.h"

namespace efl::test {
namespace {

class RawPeer {
 public:
  explicit RawPeer(int port)
      : stub_(LinkService::NewStub(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                                                       grpc::InsecureChannelCredentials()))),
        stream_(stub_->Exchange(&context_)) {
    context_.set_deadline(std::chrono::system_clock::now() + kLimit);
  }
  ~RawPeer() { context_.TryCancel(); }

  void Send(const LinkControl& control, const std::string& data = {}) {
    LinkMessage message;
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
    return control;
  }

  // Reads until a transfer is done.
  LinkDone AwaitDone() {
    for (;;) {
      const LinkControl control = Receive();
      if (control.frames_size() == 0 && control.received() == 0) {
        ADD_FAILURE() << "the stream has ended";
        return {};
      }
      for (const LinkFrame& frame : control.frames()) {
        if (frame.has_done()) return frame.done();
      }
    }
  }

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
    hello->mutable_terms()->set_chunk_bytes(8);
    hello->mutable_terms()->set_connections(1);
    return control;
  }

  // How the other party has ended the call.
  grpc::Status End() {
    LinkMessage message;
    while (stream_->Read(&message)) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<LinkService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<LinkMessage, LinkMessage>> stream_;
};

LinkOpen* AddOpen(LinkControl* control, uint64_t transfer, uint64_t step, uint64_t floats) {
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

void AddChunk(LinkControl* control, uint64_t transfer, uint64_t offset, const std::string& bytes) {
  LinkChunk* chunk = control->add_frames()->mutable_chunk();
  chunk->set_transfer(transfer);
  chunk->set_offset(offset);
  chunk->set_size(static_cast<uint32_t>(bytes.size()));
  chunk->set_crc32c(Crc32c(bytes.data(), bytes.size()));
}

// A leader that only listens, and waits for a follower.
class RawPeerTest : public testing::Test {
 protected:
  RawPeerTest() { leader.options.wire = WireChoice::kLink; }

  void SetUp() override {
    ASSERT_EQ(leader.Open().Text(), "OK");
    ASSERT_EQ(leader.Await().Text(), "OK");
    ASSERT_TRUE(leader.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    ASSERT_TRUE(leader.peer->RegisterTensor("s", kString, std::nullopt).ok());
    leader.peer->Connect(connected.call());
  }
  RawPeer& Peer() {
    peer = std::make_unique<RawPeer>(leader.node->port());
    return *peer;
  }
  RawPeer& Connected() {
    RawPeer& raw = Peer();
    raw.Send(RawPeer::Hello());
    const LinkControl welcome = raw.Receive();
    EXPECT_TRUE(welcome.frames_size() == 1 && welcome.frames(0).has_welcome());
    EXPECT_EQ(connected.status().Text(), "OK");
    return raw;
  }
  Party leader{Role::kLeader};
  Ending connected;
  std::unique_ptr<RawPeer> peer;
};

TEST_F(RawPeerTest, ShouldTakeATensorInWhateverOrderItsChunksCome) {
  RawPeer& raw = Connected();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 5, arrival.allocate(), arrival.ending.call());
  const std::string bytes = "abcdefghijklmnopqrst";
  LinkControl control;
  AddOpen(&control, 1, 5, 5);
  AddChunk(&control, 1, 8, bytes.substr(8, 8));
  AddChunk(&control, 1, 16, bytes.substr(16));
  AddChunk(&control, 1, 8, bytes.substr(8, 8));  // once more
  AddChunk(&control, 1, 0, bytes.substr(0, 8));
  raw.Send(control, bytes.substr(8) + bytes.substr(8, 8) + bytes.substr(0, 8));
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, bytes);
  EXPECT_EQ(raw.AwaitDone().code(), tensorflow::error::OK);
}

TEST_F(RawPeerTest, ShouldGoOnFromWhereAConnectionBroke) {
  Arrival arrival;
  const std::string bytes = "abcdefghijkl";
  {
    RawPeer& raw = Connected();
    leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
    LinkControl control;
    AddOpen(&control, 1, 0, 3);
    AddChunk(&control, 1, 0, bytes.substr(0, 8));
    raw.Send(control, bytes.substr(0, 8));
    // By the time of an answer to something behind it, it has been taken.
    LinkControl unknown;
    AddOpen(&unknown, 2, 0, 0)->set_name("nobody");
    raw.Send(unknown);
    EXPECT_EQ(raw.AwaitDone().code(), tensorflow::error::NOT_FOUND);
  }
  RawPeer& raw = Peer();
  LinkControl hello = RawPeer::Hello(42, true);
  hello.mutable_frames(0)->mutable_hello()->mutable_state()->set_received(1);
  raw.Send(hello);
  const LinkControl answer = raw.Receive();
  ASSERT_TRUE(answer.frames_size() == 1 && answer.frames(0).has_welcome());
  const LinkState& state = answer.frames(0).welcome().state();
  EXPECT_EQ(state.received(), 2u);
  ASSERT_EQ(state.transfers_size(), 1);
  EXPECT_EQ(state.transfers(0).received(), 8u);
  LinkControl rest;
  AddChunk(&rest, 1, 8, bytes.substr(8));
  raw.Send(rest, bytes.substr(8));
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, bytes);
}

TEST_F(RawPeerTest, ShouldRefuseTensorsThatCannotBeAndGoOn) {
  RawPeer& raw = Connected();
  LinkControl control;
  LinkOpen* open = AddOpen(&control, 1, 0, 0);
  open->set_name("s");
  open->set_dtype(kString);
  open->clear_dims();
  open->set_size(~uint64_t{0});
  open->set_encoded_size(~uint64_t{0});
  AddOpen(&control, 2, 0, 4)->set_size(uint64_t{1} << 63);
  AddOpen(&control, 3, 0, 4)->set_encoding(static_cast<LinkEncoding>(77));
  AddOpen(&control, 4, 0, 4)->set_encoded_size(3);
  raw.Send(control);
  for (int i = 1; i <= 4; ++i) {
    LinkControl probe;
    AddOpen(&probe, static_cast<uint64_t>(4 + i), 0, 0)->set_name("nobody");
    raw.Send(probe);
  }
  // One message may say several.
  int unknown = 0;
  int not_found = 0;
  while (unknown + not_found < 8) {
    const LinkControl said = raw.Receive();
    ASSERT_TRUE(said.frames_size() > 0 || said.received() > 0) << "the stream has ended";
    for (const LinkFrame& frame : said.frames()) {
      unknown += frame.done().code() == tensorflow::error::UNKNOWN ? 1 : 0;
      not_found += frame.done().code() == tensorflow::error::NOT_FOUND ? 1 : 0;
    }
  }
  EXPECT_EQ(unknown, 4);
  EXPECT_EQ(not_found, 4);
}

TEST_F(RawPeerTest, ShouldLoseTheLinkToAPeerThatBreaksTheProtocol) {
  struct Breach {
    const char* said;
    void (*make)(LinkControl*);
  };
  const Breach breaches[] = {
      {"outside of its tensor",
       [](LinkControl* control) {
         AddOpen(control, 1, 9, 2);
         AddChunk(control, 1, 8, "12345678");
       }},
      {"longer than its message",
       [](LinkControl* control) {
         AddOpen(control, 1, 9, 4);
         AddChunk(control, 1, 0, "12345678");
         AddChunk(control, 1, 8, "12345678");
       }},
      {"numbered one after the other", [](LinkControl* control) { AddOpen(control, 3, 9, 2); }},
      {"takes what wasn't sent", [](LinkControl* control) { control->set_received(1000); }},
      {"no place there", [](LinkControl* control) { control->add_frames()->mutable_welcome(); }},
  };
  for (const Breach& breach : breaches) {
    Party fresh(Role::kLeader);
    fresh.options.wire = WireChoice::kLink;
    ASSERT_EQ(fresh.Open().Text(), "OK");
    ASSERT_EQ(fresh.Await().Text(), "OK");
    ASSERT_TRUE(fresh.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    Ending up;
    fresh.peer->Connect(up.call());
    RawPeer raw(fresh.node->port());
    raw.Send(RawPeer::Hello());
    raw.Receive();
    ASSERT_EQ(up.status().Text(), "OK");
    Arrival waiting;
    fresh.peer->ReceiveTensor("x", 9, waiting.allocate(), waiting.ending.call());
    LinkControl control;
    breach.make(&control);
    raw.Send(control, "12345678");
    ExpectSaid(waiting.ending.status(), Code::kInternal, breach.said);
    EXPECT_FALSE(raw.End().ok());
  }
  leader.node->Close();  // which has waited in vain
}

TEST_F(RawPeerTest, ShouldNotLetInWhoBeginsOtherwise) {
  {
    LinkControl control;
    control.add_frames()->mutable_goodbye();
    RawPeer& raw = Peer();
    raw.Send(control);
    EXPECT_EQ(raw.End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  {
    RawPeer& raw = Peer();
    raw.Send(RawPeer::Hello(0));
    EXPECT_EQ(raw.End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  {
    RawPeer& raw = Peer();
    raw.Send(RawPeer::Hello(4711, true));
    const grpc::Status status = raw.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
  }
  Connected();
}

TEST_F(RawPeerTest, ShouldDropAConnectionWhoseMessageIsDamagedAndKeepTheLink) {
  RawPeer& raw = Connected();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  LinkControl control;
  AddOpen(&control, 1, 0, 2);
  AddChunk(&control, 1, 0, "12345678");
  raw.Send(control, "1234567X");
  EXPECT_EQ(raw.End().error_code(), grpc::StatusCode::DATA_LOSS);
  RawPeer& again = Peer();
  again.Send(RawPeer::Hello(42, true));
  const LinkControl welcome = again.Receive();
  ASSERT_EQ(welcome.frames_size(), 1);
  EXPECT_EQ(welcome.frames(0).welcome().state().received(), 1u);
  LinkControl chunk;
  AddChunk(&chunk, 1, 0, "12345678");
  again.Send(chunk, "12345678");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, "12345678");
}

}  // namespace
}  // namespace efl::test
