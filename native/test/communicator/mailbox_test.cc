// The table of outcomes of DESIGN.md, row by row, without a network.
#include "communicator/mailbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "support/pair.h"

namespace efl {
namespace {

using test::Arrival;

class FakeDelivery final : public Delivery {
 public:
  FakeDelivery(int64_t step, std::string bytes, std::string name = "x")
      : bytes_(std::move(bytes)),
        info_{std::move(name), step, kUint8, {static_cast<int64_t>(bytes_.size())}, bytes_.size()} {
  }

  const TensorInfo& info() const override { return info_; }
  size_t cost() const override { return bytes_.size() + (16 << 10); }
  const Status& defect() const override { return defect_; }
  void Land(void* to, std::function<void(const Status&)> landed) override {
    bytes_.copy(static_cast<char*>(to), bytes_.size());
    if (before_landed) before_landed();
    landed({});
  }
  void Stop(const Status& why) override { Answer(why); }
  void Answer(const Status& status) override {
    EXPECT_FALSE(answer.has_value()) << "answered twice";
    answer = status;
  }
  void OnGivenUp(std::function<bool()> given_up) override { give_up = std::move(given_up); }

  std::optional<Status> answer;
  std::function<bool()> give_up;
  std::function<void()> before_landed;
  Status defect_;
  std::string bytes_;
  TensorInfo info_;
};

class MailboxTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(mailbox.Register("x", kUint8, std::vector<int64_t>{-1}).ok());
  }

  ReceivePtr Receive(int64_t step, Arrival* arrival, const std::string& name = "x") {
    Operation::Spec spec;
    spec.subject = {"receive tensor", name, step, "bob:1"};
    spec.timeout_ms = 600'000;
    spec.done = arrival->ending.done();
    auto operation = std::make_shared<Operation>(std::move(spec));
    auto receive = std::make_shared<efl::Receive>(
        efl::Receive{operation, name, step, arrival->allocate(), {}});
    mailbox.Bind(receive);
    mailbox.Post(receive);
    return receive;
  }
  std::shared_ptr<FakeDelivery> Deliver(int64_t step, std::string bytes, std::string name = "x") {
    auto delivery = std::make_shared<FakeDelivery>(step, std::move(bytes), std::move(name));
    mailbox.Deliver(delivery);
    return delivery;
  }

  Mailbox mailbox{70'000};  // room for four
};

TEST_F(MailboxTest, ShouldRefuseWhatWasLetInBeforeSomebodyElseCouldBeThePeer) {
  const auto earlier = Deliver(1, "ab");
  mailbox.Forget(5);
  EXPECT_TRUE(earlier->answer.has_value());
  const auto late = std::make_shared<FakeDelivery>(1, "cd", "x");
  mailbox.Deliver(late, 4);
  EXPECT_EQ(late->answer->code(), Code::kUnavailable);
  const auto next = std::make_shared<FakeDelivery>(1, "ef", "x");
  mailbox.Deliver(next, 5);
  Arrival arrival;
  Receive(1, &arrival);
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, "ef");
}

TEST_F(MailboxTest, ShouldMatchWhicheverComesFirst) {
  Arrival first, second;
  Receive(1, &first);
  EXPECT_EQ(Deliver(1, "ab")->answer->Text(), "OK");
  EXPECT_EQ(first.ending.status().Text(), "OK");
  EXPECT_EQ(first.bytes, "ab");
  const auto parked = Deliver(2, "cd");
  EXPECT_FALSE(parked->answer.has_value());
  Receive(2, &second);
  EXPECT_EQ(parked->answer->Text(), "OK");
  EXPECT_EQ(second.bytes, "cd");
}

TEST_F(MailboxTest, ShouldKeepTheSameStepFirstInFirstOut) {
  const auto one = Deliver(0, "1");
  const auto two = Deliver(0, "2");
  Arrival first, second;
  Receive(0, &first);
  Receive(0, &second);
  EXPECT_EQ(first.bytes, "1");
  EXPECT_EQ(second.bytes, "2");
}

TEST_F(MailboxTest, ShouldFindEachOfSeveralStepsThatWait) {
  Arrival five, six;
  Receive(6, &six);
  Receive(5, &five);
  EXPECT_EQ(Deliver(5, "5")->answer->Text(), "OK");
  EXPECT_EQ(Deliver(6, "6")->answer->Text(), "OK");
  EXPECT_EQ(five.bytes, "5");
  EXPECT_EQ(six.bytes, "6");
}

TEST_F(MailboxTest, ShouldLoseDataAtBothEndsWhenTheReceiveFindsAnotherStep) {
  const auto parked = Deliver(4, "ab");
  Arrival arrival;
  Receive(5, &arrival);
  for (const Status& status : {*parked->answer, arrival.ending.status()}) {
    EXPECT_EQ(status.code(), Code::kDataLoss);
    EXPECT_NE(status.message().find("step 4 was sent, step 5 is awaited"), std::string::npos);
  }
}

TEST_F(MailboxTest, ShouldLoseDataAtBothEndsWhenTheTensorFindsAnotherStep) {
  Arrival arrival;
  Receive(5, &arrival);
  const auto late = Deliver(6, "ab");
  EXPECT_EQ(late->answer->code(), Code::kDataLoss);
  EXPECT_EQ(arrival.ending.status().code(), Code::kDataLoss);
  // Nothing of it stays behind.
  Arrival next;
  Receive(7, &next);
  EXPECT_EQ(Deliver(7, "cd")->answer->Text(), "OK");
  EXPECT_EQ(next.bytes, "cd");
}

TEST_F(MailboxTest, ShouldRefuseNamesNobodyRegistered) {
  EXPECT_EQ(Deliver(0, "ab", "y")->answer->Text(), "NOT_FOUND: Tensor named y not registered.");
  Arrival arrival;
  Receive(0, &arrival, "y");
  EXPECT_EQ(arrival.ending.status().code(), Code::kInvalidArgument);
}

TEST_F(MailboxTest, ShouldRefuseASecondReceiveAndKeepTheFirst) {
  Arrival first, second;
  Receive(1, &first);
  Receive(1, &second);
  EXPECT_EQ(second.ending.status().code(), Code::kAlreadyExists);
  Deliver(1, "ab");
  EXPECT_EQ(first.ending.status().Text(), "OK");
}

TEST_F(MailboxTest, ShouldRefuseAnotherDTypeOrShapeAtBothEnds) {
  Arrival waiting, later;
  Receive(1, &waiting);
  const auto wrong = std::make_shared<FakeDelivery>(1, "abcd");
  wrong->info_.dtype = kInt32;
  mailbox.Deliver(wrong);
  EXPECT_EQ(wrong->answer->Text(), "INVALID_ARGUMENT: sent as int32, expected as uint8");
  EXPECT_EQ(waiting.ending.status().message(), wrong->answer->message());
  const auto square = std::make_shared<FakeDelivery>(2, "abcd");
  square->info_.dims = {2, 2};
  mailbox.Deliver(square);
  EXPECT_EQ(square->answer->Text(), "INVALID_ARGUMENT: sent with shape [2,2], expected [?]");
  Receive(2, &later);
  EXPECT_EQ(later.ending.status().message(), square->answer->message());
}

TEST_F(MailboxTest, ShouldFailBothEndsOfWhatCannotBeDecoded) {
  Arrival arrival;
  Receive(3, &arrival);
  const auto broken = std::make_shared<FakeDelivery>(3, "ab");
  broken->defect_ = Status(Code::kUnknown, "the tensor cannot be decoded: dtype 99");
  mailbox.Deliver(broken);
  EXPECT_EQ(broken->answer->code(), Code::kUnknown);
  EXPECT_EQ(arrival.ending.status().code(), Code::kUnknown);
}

TEST_F(MailboxTest, ShouldEndTheReceiveOfASendThatFailed) {
  Arrival waiting, later, next;
  Receive(1, &waiting);
  mailbox.Fail("x", 1, {Code::kResourceExhausted, "too large"});
  EXPECT_EQ(waiting.ending.status().code(), Code::kResourceExhausted);
  mailbox.Fail("x", 2, {Code::kDeadlineExceeded, "gave up"});
  Receive(2, &later);
  EXPECT_EQ(later.ending.status().code(), Code::kDeadlineExceeded);
  // A failure nobody asked about does not stand in the way of later steps.
  mailbox.Fail("x", 3, {Code::kDeadlineExceeded, "gave up"});
  Receive(4, &next);
  EXPECT_EQ(Deliver(4, "ab")->answer->Text(), "OK");
}

TEST_F(MailboxTest, ShouldNotEndAReceiveForTheFailureOfAnEarlierLife) {
  mailbox.Forget(5);
  Arrival waiting, later;
  Receive(1, &waiting);
  mailbox.Fail("x", 1, {Code::kAborted, "long ago"}, 4);
  mailbox.Fail("x", 2, {Code::kAborted, "long ago"}, 4);
  Receive(2, &later);
  EXPECT_EQ(Deliver(1, "ab")->answer->Text(), "OK");
  mailbox.Fail("x", 2, {Code::kAborted, "now"}, 5);
  EXPECT_EQ(later.ending.status().message(), "now");
}

// The news of a failure may overtake the tensor before it.
TEST_F(MailboxTest, ShouldKeepSixteenFailuresOfANameThatNoReceiveHasMet) {
  ASSERT_TRUE(mailbox.Register("y", kUint8, std::vector<int64_t>{-1}).ok());
  mailbox.Fail("y", 0, {Code::kDeadlineExceeded, "gave up"});
  for (int64_t step = 0; step <= 16; ++step) {
    mailbox.Fail("x", step, {Code::kDeadlineExceeded, "gave up"});
  }
  Arrival others;
  Receive(0, &others, "y");
  EXPECT_EQ(others.ending.status().code(), Code::kDeadlineExceeded);
  Arrival oldest;
  Receive(0, &oldest);
  EXPECT_FALSE(oldest.ending.ended_within(std::chrono::milliseconds(0)));
  for (int64_t step = 1; step <= 16; ++step) {
    Arrival arrival;
    Receive(step, &arrival);
    EXPECT_EQ(arrival.ending.status().code(), Code::kDeadlineExceeded) << step;
  }
  EXPECT_EQ(Deliver(0, "ab")->answer->Text(), "OK");
  EXPECT_EQ(oldest.bytes, "ab");
}

TEST_F(MailboxTest, ShouldNotEndAReceiveForTheFailureOfALaterStep) {
  mailbox.Fail("x", 5, {Code::kResourceExhausted, "too large"});
  Arrival four, five;
  Receive(4, &four);
  EXPECT_EQ(Deliver(4, "ab")->answer->Text(), "OK");
  EXPECT_EQ(four.bytes, "ab");
  Receive(5, &five);
  EXPECT_EQ(five.ending.status().code(), Code::kResourceExhausted);
}

TEST_F(MailboxTest, ShouldBoundWhatIsParked) {
  std::vector<std::shared_ptr<FakeDelivery>> deliveries;
  for (int i = 0; i < 6; ++i) deliveries.push_back(Deliver(0, std::string(400, 'a')));
  EXPECT_FALSE(deliveries[3]->answer.has_value());
  ASSERT_TRUE(deliveries[4]->answer.has_value());
  EXPECT_EQ(deliveries[4]->answer->code(), Code::kResourceExhausted);
  // A receive makes room.
  Arrival arrival;
  Receive(0, &arrival);
  EXPECT_FALSE(Deliver(0, std::string(400, 'a'))->answer.has_value());
  // Empty tensors take room too.
  for (int i = 0; i < 20; ++i) deliveries.push_back(Deliver(0, ""));
  EXPECT_EQ(deliveries.back()->answer->code(), Code::kResourceExhausted);
}

TEST_F(MailboxTest, ShouldForgetWhatTheSenderGaveUp) {
  const auto parked = Deliver(1, "ab");
  EXPECT_TRUE(parked->give_up());
  Arrival arrival;
  Receive(2, &arrival);
  EXPECT_EQ(Deliver(2, "cd")->answer->Text(), "OK");
  EXPECT_EQ(arrival.bytes, "cd");
  EXPECT_FALSE(parked->answer.has_value());
}

TEST_F(MailboxTest, ShouldForgetAReceiveThatWasAbandoned) {
  Arrival arrival, next;
  Receive(1, &arrival)->operation->Abandon({Code::kDeadlineExceeded, "overdue"});
  EXPECT_EQ(arrival.ending.status().code(), Code::kDeadlineExceeded);
  const auto parked = Deliver(1, "ab");
  EXPECT_FALSE(parked->answer.has_value()) << "it waits for the next receive, it isn't lost";
  Receive(1, &next);
  EXPECT_EQ(next.bytes, "ab");
}

// Who abandons it has claimed it just before all of it was there, and comes to it later.
TEST_F(MailboxTest, ShouldAnswerTheSenderOfAReceiveThatIsAbandonedWhileItLands) {
  Arrival arrival;
  const auto delivery = std::make_shared<FakeDelivery>(1, "ab");
  const OperationPtr operation = Receive(1, &arrival)->operation;
  delivery->before_landed = [&] { ASSERT_TRUE(operation->Claim()); };
  mailbox.Deliver(delivery);
  EXPECT_FALSE(delivery->answer.has_value());
  operation->Unclaim();
  operation->Abandon({Code::kDeadlineExceeded, "overdue"});
  EXPECT_EQ(arrival.ending.status().code(), Code::kDeadlineExceeded);
  ASSERT_TRUE(delivery->answer.has_value());
  EXPECT_EQ(delivery->answer->Text(), "DEADLINE_EXCEEDED: overdue");
}

TEST_F(MailboxTest, ShouldEndAtBothEndsWhenThereIsNoRoomAtItsPlace) {
  Arrival arrival;
  const auto receive = Receive(1, &arrival);
  receive->allocate = [](const TensorInfo&) { return nullptr; };
  const auto delivery = Deliver(1, "ab");
  EXPECT_EQ(delivery->answer->code(), Code::kResourceExhausted);
  EXPECT_EQ(arrival.ending.status().code(), Code::kResourceExhausted);
}

TEST_F(MailboxTest, ShouldAnswerEverySenderWhenItCloses) {
  const auto parked = Deliver(1, "ab");
  mailbox.Close({Code::kCancelled, "the peer has closed"});
  EXPECT_EQ(parked->answer->code(), Code::kCancelled);
  EXPECT_EQ(Deliver(2, "ab")->answer->code(), Code::kCancelled);
}

TEST_F(MailboxTest, ShouldRegisterANameOnceInOneWay) {
  EXPECT_TRUE(mailbox.Register("x", kUint8, std::vector<int64_t>{-1}).ok());
  EXPECT_EQ(mailbox.Register("x", kFloat, std::nullopt).Text(),
            "ALREADY_EXISTS: tensor 'x' is registered as uint8[?]");
  EXPECT_EQ(mailbox.Register("z", 99, std::nullopt).code(), Code::kInvalidArgument);
  EXPECT_EQ(mailbox.Register("", kFloat, std::nullopt).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace efl
