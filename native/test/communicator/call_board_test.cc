#include "communicator/call_board.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "support/pair.h"

namespace efl {
namespace {

using test::Ending;

class FakeQuestion final : public Question {
 public:
  void Answer(const Status& status, const Outcome& outcome,
              std::function<void(bool)> sent) override {
    EXPECT_FALSE(answer.has_value()) << "answered twice";
    answer = status;
    text = outcome.text;
    if (sent) sent(gets_out);
  }
  void OnGivenUp(std::function<void()> given_up) override { give_up = std::move(given_up); }

  bool gets_out = true;
  std::optional<Status> answer;
  std::string text;
  std::function<void()> give_up;
};

AnswerPtr Make(Ending* ending, std::string text) {
  Operation::Spec spec;
  spec.timeout_ms = 600'000;
  spec.done = ending->done();
  return std::make_shared<Answer>(
      Answer{std::make_shared<Operation>(std::move(spec)), {}, {std::move(text), 0}});
}

TEST(CallBoardTest, ShouldPairAnswersAndQuestionsInOrder) {
  CallBoard board;
  Ending first, second;
  board.Post("t", Make(&first, "1"));
  board.Post("t", Make(&second, "2"));
  const auto one = std::make_shared<FakeQuestion>(), two = std::make_shared<FakeQuestion>(),
             three = std::make_shared<FakeQuestion>();
  board.Ask("t", one);
  board.Ask("t", two);
  board.Ask("t", three);
  EXPECT_EQ(one->text, "1");
  EXPECT_EQ(two->text, "2");
  EXPECT_FALSE(three->answer.has_value());
  EXPECT_EQ(second.status().Text(), "OK");
  Ending third;
  board.Post("t", Make(&third, "3"));
  EXPECT_EQ(three->text, "3");
}

TEST(CallBoardTest, ShouldRefuseWhoWasLetInBeforeSomebodyElseCouldBeThePeer) {
  CallBoard board;
  const auto earlier = std::make_shared<FakeQuestion>(), late = std::make_shared<FakeQuestion>(),
             next = std::make_shared<FakeQuestion>();
  board.Ask("t", earlier, 4);
  board.RefuseQuestions(5);
  EXPECT_EQ(earlier->answer->code(), Code::kUnavailable);
  Ending ending;
  board.Post("t", Make(&ending, "1"));
  board.Ask("t", late, 4);
  EXPECT_EQ(late->answer->code(), Code::kUnavailable);
  board.Ask("t", next, 5);
  EXPECT_EQ(next->text, "1");
}

TEST(CallBoardTest, ShouldKeepSixtyFourQuestionsOfAKind) {
  CallBoard board;
  std::vector<std::shared_ptr<FakeQuestion>> questions;
  for (int i = 0; i < 65; ++i) {
    questions.push_back(std::make_shared<FakeQuestion>());
    board.Ask("t", questions.back());
  }
  for (int i = 0; i < 64; ++i) EXPECT_FALSE(questions[i]->answer.has_value()) << i;
  ASSERT_TRUE(questions[64]->answer.has_value());
  test::ExpectSaid(*questions[64]->answer, Code::kResourceExhausted,
                   "too many questions of this kind");
  const auto another = std::make_shared<FakeQuestion>(), next = std::make_shared<FakeQuestion>();
  board.Ask("another", another);
  EXPECT_FALSE(another->answer.has_value());
  Ending ending;
  board.Post("t", Make(&ending, "1"));
  EXPECT_EQ(questions[0]->text, "1");
  board.Ask("t", next);
  EXPECT_FALSE(next->answer.has_value());
}

TEST(CallBoardTest, ShouldKeepTopicsApart) {
  CallBoard board;
  Ending ending;
  const auto question = std::make_shared<FakeQuestion>();
  board.Ask("a", question);
  const AnswerPtr answer = Make(&ending, "1");
  board.Post("b", answer);
  EXPECT_FALSE(question->answer.has_value());
  answer->operation->TryEnd({});
}

TEST(CallBoardTest, ShouldSayWhenTheAnswerDidNotGetOut) {
  CallBoard board;
  Ending ending;
  const auto question = std::make_shared<FakeQuestion>();
  question->gets_out = false;
  board.Ask("t", question);
  board.Post("t", Make(&ending, "1"));
  EXPECT_EQ(ending.status().code(), Code::kUnavailable);
}

TEST(CallBoardTest, ShouldForgetQuestionsThatWereGivenUp) {
  CallBoard board;
  Ending ending;
  const auto gone = std::make_shared<FakeQuestion>(), there = std::make_shared<FakeQuestion>();
  board.Ask("t", gone);
  gone->give_up();
  board.Post("t", Make(&ending, "1"));
  board.Ask("t", there);
  EXPECT_FALSE(gone->answer.has_value());
  EXPECT_EQ(there->text, "1");
}

TEST(CallBoardTest, ShouldPassOverAnswersThatHaveEnded) {
  CallBoard board;
  Ending ended, live;
  const AnswerPtr old = Make(&ended, "old");
  board.Post("t", old);
  old->operation->TryEnd({Code::kDeadlineExceeded, "overdue"});
  board.Post("t", Make(&live, "new"));
  const auto question = std::make_shared<FakeQuestion>();
  board.Ask("t", question);
  EXPECT_EQ(question->text, "new");
}

TEST(CallBoardTest, ShouldAnswerEveryQuestionWhenItCloses) {
  CallBoard board;
  const auto waiting = std::make_shared<FakeQuestion>(), late = std::make_shared<FakeQuestion>();
  board.Ask("t", waiting);
  board.Close({Code::kCancelled, "closed"});
  board.Ask("t", late);
  EXPECT_EQ(waiting->answer->code(), Code::kCancelled);
  EXPECT_EQ(late->answer->code(), Code::kCancelled);
}

}  // namespace
}  // namespace efl
