// A caller that is let in, and then no more.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "efl/trainer_service.pb.h"
#include "support/certificates.h"
#include "support/log_lines.h"
#include "support/pair.h"
#include "support/stranger.h"

namespace efl::test {
namespace {

class RevocationTest : public testing::Test {
 protected:
  void SetUp() override {
    certificates.Make("leader");
    certificates.Make("follower");
    // Another certificate of the follower's, which it uses beside.
    certificates.Make("spare", {"ca", "follower"});
    certificates.Allow("list",
                       {certificates.Fingerprint("follower"), certificates.Fingerprint("spare")});
    pair.leader.options.tls = certificates.Tls("leader");
    pair.leader.options.tls.allowed_fingerprints_file = certificates.path("list");
    pair.follower.options.tls = certificates.Tls("follower");
  }

  Certificates certificates;
  Pair pair;
};

TEST_F(RevocationTest, ShouldEndTheCallsOfACallerThatWait) {
  pair.Connect();
  LogLines lines;
  Stranger spare(pair.leader.node->port(), certificates.Tls("spare"));
  GetReaderStateRequest where;
  where.set_name("train");
  MessageRequest message;
  message.set_name("x");
  message.set_step(7);
  message.mutable_tensor()->set_dtype(kFloat);
  message.mutable_tensor()->mutable_tensor_shape();
  message.mutable_tensor()->add_float_val(1);
  Ending asked, asked_too, sent;
  spare.Start("/efl.TrainerService/GetReaderState", where, asked.done());
  spare.Start("/efl.TrainerService/GetCheckpointVersion", GetCheckpointVersionRequest(),
              asked_too.done());
  spare.Start("/efl.TrainerService/SendMessage", message, sent.done());
  AwaitParked(*pair.leader.peer, 1);
  EXPECT_FALSE(asked.ended_within(std::chrono::milliseconds(100)));

  certificates.Allow("list", {certificates.Fingerprint("follower")});
  const std::string why = absl::StrCat(certificates.Fingerprint("spare"),
                                       " is not on the list of allowed fingerprints");
  for (Ending* ending : {&asked, &asked_too, &sent}) {
    ExpectSaid(ending->status(), Code::kUnauthenticated, why);
  }
  lines.Await("ended 3 calls of a caller: ");
  lines.Await(why);

  // Nothing of it is left: what the leader says and asks for is the peer's.
  AwaitParked(*pair.leader.peer, 0);
  Ending told, learnt, version, version_learnt;
  pair.leader.peer->SendReaderState("train", "block", 3, told.call());
  pair.leader.peer->SendCheckpointVersion("17", version.call());
  EXPECT_FALSE(told.ended_within(std::chrono::milliseconds(100)));
  pair.follower.peer->ReceiveReaderState("train", learnt.call());
  pair.follower.peer->ReceiveCheckpointVersion(version_learnt.call());
  EXPECT_EQ(told.status().Text(), "OK");
  EXPECT_EQ(version.status().Text(), "OK");
  EXPECT_EQ(learnt.Wait().outcome.text, "block");
  EXPECT_EQ(version_learnt.Wait().outcome.text, "17");
  Exchange(&pair);
}

}  // namespace
}  // namespace efl::test
