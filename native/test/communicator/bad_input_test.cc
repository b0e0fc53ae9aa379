// What is wrong with an operation is said to who started it and, where one waits, to the peer.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/pair.h"

namespace efl::test {
namespace {

class BadInputTest : public testing::Test {
 protected:
  Peer& leader() { return *pair.leader.peer; }
  Peer& follower() { return *pair.follower.peer; }

  Pair pair;
};

TEST_F(BadInputTest, ShouldRefuseTensorsThatCannotBe) {
  pair.Connect();
  const auto refused = [&](const TensorInfo& info) {
    Ending sent;
    OutgoingTensor tensor;
    tensor.info = info;
    follower().SendTensor(std::move(tensor), sent.call());
    EXPECT_EQ(sent.status().code(), Code::kInvalidArgument) << sent.status().Text();
  };
  refused({"", 0, kFloat, {}, 4});
  refused({std::string((64 << 10) + 1, 'x'), 0, kFloat, {}, 4});
  refused({"x\xff", 0, kFloat, {}, 4});
  refused({"x", -1, kFloat, {}, 4});
  refused({"x", 0, 99, {}, 4});
  refused({"x", 0, kFloat, {2}, 4});
  refused({"x", 0, kFloat, {-1}, 4});
}

TEST_F(BadInputTest, ShouldTellTheReceiverWhatTheSenderDidWrong) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("words", kString, std::nullopt).ok());
  const struct {
    TensorInfo info;
    const char* content;
  } wrong[] = {{{"words", 0, kString, {3}, 0}, ""},
               {{"words", 1, kString, {int64_t{1} << 40}, 2}, "ab"},
               {{"words", 2, kString, {1}, 3},
                "\x05"
                "ab"},
               {{"words", 3, kString, {1}, 2}, "\xff\xff"}};
  for (const auto& one : wrong) {
    Arrival arrival;
    Ending sent;
    leader().ReceiveTensor("words", one.info.step, arrival.allocate(), arrival.ending.call());
    follower().SendTensor({one.info, {one.content, one.info.size, nullptr, nullptr}}, sent.call());
    EXPECT_EQ(sent.status().code(), Code::kInvalidArgument) << sent.status().Text();
    ExpectSaid(arrival.ending.status(), Code::kInvalidArgument, "the peer could not send it");
  }
}

TEST_F(BadInputTest, ShouldTellTheSenderOfANameNobodyKnows) {
  pair.Connect();
  const std::vector<float> values{1};
  Ending sent;
  follower().SendTensor(Floats("nobody", 4, values), sent.call());
  EXPECT_EQ(sent.status().message(), "Tensor named nobody not registered.");
  EXPECT_EQ(sent.status().code(), Code::kNotFound);
  EXPECT_EQ(sent.status().subject().step, 4);
}

// What can't be read would be said again and again.
TEST_F(BadInputTest, ShouldSayWhatCanBeRead) {
  pair.Connect();
  const std::vector<float> values{1};
  const std::string cut = std::string(255, 'n');
  Ending unknown, failed, other;
  follower().SendTensor(Floats(cut + "\xc3\xa9 and more", 4, values), unknown.call());
  EXPECT_EQ(unknown.status().message(), "Tensor named " + cut + " not registered.");
  Arrival waiting;
  leader().ReceiveTensor("x", 5, waiting.allocate(), waiting.ending.call());
  follower().FailGroup(7, "no text: \xff");
  Peer::Call late = failed.call();
  late.group = 7;
  follower().SendTensor(Floats("x", 5, values), std::move(late));
  EXPECT_NE(failed.status().message().find("no text: \xff"), std::string::npos);
  ExpectSaid(waiting.ending.status(), Code::kAborted, "no text: ?");
  Exchange(&pair);
}

TEST_F(BadInputTest, ShouldTellBothEndsOfAnotherDType) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("ids", kInt64, std::nullopt).ok());
  const std::vector<float> values{1};
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("ids", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("ids", 0, values), sent.call());
  ExpectSaid(sent.status(), Code::kInvalidArgument, "sent as float, expected as int64");
  ExpectSaid(arrival.ending.status(), Code::kInvalidArgument, "sent as float, expected as int64");
}

TEST_F(BadInputTest, ShouldTellBothEndsOfAMessageOverTheSendersLimit) {
  pair.UseTrainer();  // the link cuts tensors into chunks that fit
  pair.follower.options.client_max_send_message_size = 1000;
  pair.Connect();
  const std::vector<float> values(1000);
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 0, values), sent.call());
  ExpectSaid(sent.status(), Code::kResourceExhausted,
             "EFL_CLIENT_MAX_SEND_MESSAGE_SIZE (client_max_send_message_size) = 1000");
  ExpectSaid(arrival.ending.status(), Code::kResourceExhausted, "the peer could not send it");
}

TEST_F(BadInputTest, ShouldTellBothEndsOfAMessageOverTheReceiversLimit) {
  pair.UseTrainer();
  pair.leader.options.server_max_receive_message_size = 1000;
  pair.Connect();
  const std::vector<float> values(1000);
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 0, values), sent.call());
  ExpectSaid(sent.status(), Code::kResourceExhausted, "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE");
  ExpectSaid(arrival.ending.status(), Code::kResourceExhausted, "the peer could not send it");
}

TEST_F(BadInputTest, ShouldTellTheReceiverThatTheSenderGaveUp) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("z", kFloat, std::nullopt).ok());
  const std::vector<float> values{1};
  Ending first, second;
  follower().SendTensor(Floats("x", 0, values), first.call());
  follower().SendTensor(Floats("x", 1, values), second.call(0, 50));
  ExpectSaid(second.status(), Code::kDeadlineExceeded, "the peer has not consumed it");
  // A frame behind the news: over the link the tensor itself is at the leader already.
  Arrival behind;
  Ending sent;
  leader().ReceiveTensor("z", 0, behind.allocate(), behind.ending.call());
  follower().SendTensor(Floats("z", 0, values), sent.call());
  EXPECT_EQ(behind.ending.status().Text(), "OK");
  EXPECT_EQ(sent.status().Text(), "OK");
  Arrival arrived, given_up;
  leader().ReceiveTensor("x", 0, arrived.allocate(), arrived.ending.call());
  EXPECT_EQ(arrived.ending.status().Text(), "OK");
  leader().ReceiveTensor("x", 1, given_up.allocate(), given_up.ending.call());
  ExpectSaid(given_up.ending.status(), Code::kDeadlineExceeded, "the peer could not send it");
}

TEST_F(BadInputTest, ShouldKeepATensorThatComesAfterItsReceiveGaveUp) {
  pair.Connect();
  Arrival late, next;
  leader().ReceiveTensor("x", 0, late.allocate(), late.ending.call(0, 50));
  ExpectSaid(late.ending.status(), Code::kDeadlineExceeded, "the peer has not sent it");
  const std::vector<float> values{1};
  Ending sent;
  follower().SendTensor(Floats("x", 0, values), sent.call());
  leader().ReceiveTensor("x", 0, next.allocate(), next.ending.call());
  EXPECT_EQ(next.ending.status().Text(), "OK");
  EXPECT_EQ(sent.status().Text(), "OK");
}

// One has to fit into a message.
TEST_F(BadInputTest, ShouldRefuseTextsThatAreTooLong) {
  pair.Connect();
  const std::string text((64 << 10) + 1, 'x');
  Ending version, state, question;
  leader().SendCheckpointVersion(text, version.call());
  ExpectSaid(version.status(), Code::kInvalidArgument, "at most 65536 bytes, not 65537");
  leader().SendReaderState("train", text, 0, state.call());
  ExpectSaid(state.status(), Code::kInvalidArgument, "a block id has at most");
  follower().ReceiveReaderState(text, question.call());
  ExpectSaid(question.status(), Code::kInvalidArgument, "the name of a dataset has at most");
}

TEST_F(BadInputTest, ShouldRefuseDatasetsNobodyRegistered) {
  pair.Connect();
  Ending posted, asked;
  leader().SendReaderState("other", "b", 0, posted.call());
  follower().ReceiveReaderState("other", asked.call());
  ExpectSaid(posted.status(), Code::kInvalidArgument, "no dataset of this name");
  ExpectSaid(asked.status(), Code::kNotFound, "Dataset named other not registered.");
}

TEST_F(BadInputTest, ShouldSayThatThePeerHasNotAsked) {
  pair.Connect();
  Ending posted;
  leader().SendReaderState("train", "b", 0, posted.call(0, 50));
  ExpectSaid(posted.status(), Code::kDeadlineExceeded, "the peer has not asked for it");
  // What was given up is not given later.
  Ending asked, answered;
  follower().ReceiveReaderState("train", asked.call());
  leader().SendReaderState("train", "c", 1, answered.call());
  EXPECT_EQ(asked.Wait().outcome.text, "c");
}

}  // namespace
}  // namespace efl::test
