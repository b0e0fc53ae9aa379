// A leader of this project that only listens, and connections of a follower of another make to it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/pair.h"
#include "support/raw_peer.h"

namespace efl::test {

class ListeningLeader : public testing::Test {
 protected:
  ListeningLeader() { leader.options.wire = WireChoice::kLink; }

  // Waits for the follower. Receives "x", of floats, and "s", of strings.
  void Listen() {
    ASSERT_EQ(leader.Open().Text(), "OK");
    ASSERT_EQ(leader.Await().Text(), "OK");
    ASSERT_TRUE(leader.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    ASSERT_TRUE(leader.peer->RegisterTensor("s", kString, std::nullopt).ok());
    leader.peer->Connect(connected.call());
  }
  // Another connection, in place of the one there was; nothing is said on it yet.
  RawPeer& Dial() {
    raw = nullptr;
    raw = std::make_unique<RawPeer>(leader.node->port());
    return *raw;
  }
  // One that is let in.
  RawPeer& Connect() {
    Dial().Send(RawPeer::Hello());
    raw->AwaitWelcome();
    EXPECT_EQ(connected.status().Text(), "OK");
    return *raw;
  }
  // One that goes on with the link, and where the leader says that it stands.
  LinkState Resume(uint64_t received = 0) {
    LinkControl hello = RawPeer::Hello(42, true);
    hello.mutable_frames(0)->mutable_hello()->mutable_state()->set_received(received);
    Dial().Send(hello);
    return raw->AwaitWelcome().state();
  }
  // A whole chunk of "x" at step 0 as transfer 1, all of it.
  LinkControl OneChunk() const {
    LinkControl control;
    AddOpen(&control, 1, 0, kFloatsOfAChunk);
    AddChunk(&control, 1, 0, chunk);
    return control;
  }

  const std::string chunk = Content(kRawChunk);
  Party leader{Role::kLeader};
  Ending connected;
  std::unique_ptr<RawPeer> raw;
};

}  // namespace efl::test
