// The file that says what has left: its chain, and what becomes of it when things go wrong.
#include "governance/audit_ledger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "governance/ledger_tail.h"
#include "governance/sha256.h"
#include "support/files.h"
#include "support/log_lines.h"
#include "support/pair.h"

namespace {

std::atomic<bool> disk_fails{false};

}  // namespace

// In place of the C library's for this whole program: a disk that takes nothing any more.
extern "C" int fdatasync(int fd) {
  if (disk_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace efl {
namespace {

// A child that doesn't outlive the test.
pid_t Fork() {
  const pid_t child = fork();
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

class AuditLedgerTest : public testing::Test {
 protected:
  std::unique_ptr<AuditLedger> Open() {
    auto ledger = AuditLedger::Open(file, &status);
    EXPECT_EQ(status.Text(), "OK");
    return ledger;
  }
  void ExpectRefused(Code code, const std::string& said) {
    EXPECT_EQ(AuditLedger::Open(file, &status), nullptr);
    test::ExpectSaid(status, code, said);
    test::ExpectSaid(status, code, file);
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines = absl::StrSplit(folder.Read("audit.jsonl"), '\n');
    EXPECT_EQ(lines.back(), "") << "its last line isn't whole";
    lines.pop_back();
    return lines;
  }
  // That each whole line follows from the one before; the last one's number and hash.
  LedgerHead CheckChain() const {
    LedgerHead head;
    for (const std::string& line : Lines()) {
      if (line.size() >= 5 && line.substr(line.size() - 5) == "#torn") continue;
      LedgerHead next;
      EXPECT_TRUE(ReadLedgerLine(line, &next)) << line;
      EXPECT_EQ(next.lines, head.lines + 1);
      EXPECT_TRUE(FollowsInChain(line, head.hash)) << line;
      head = next;
    }
    return head;
  }

  test::Folder folder;
  const std::string file = folder / "audit.jsonl";
  Status status;
};

TEST_F(AuditLedgerTest, ShouldChainItsLines) {
  const auto ledger = Open();
  EXPECT_EQ(ledger->Append(R"("event":"a")").Text(), "OK");
  EXPECT_EQ(ledger->Append(R"("event":"b")").Text(), "OK");
  const LedgerHead head = CheckChain();
  EXPECT_EQ(head.lines, 2);
  EXPECT_EQ(head.hash, ledger->head().hash);
  const std::string line = Lines()[0];
  const std::string body = line.substr(0, line.find(",\"hash\""));
  EXPECT_EQ(body.find(R"({"seq":1,"time":"20)"), 0u) << line;
  // The format by itself: SHA-256 of the hash before and the line up to its own.
  EXPECT_EQ(line,
            absl::StrCat(body, R"(,"hash":")", Sha256Hex({std::string(64, '0'), body}), R"("})"));
}

TEST_F(AuditLedgerTest, ShouldKnowSha256) {
  EXPECT_EQ(Sha256Hex({"a", "", "bc"}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(AuditLedgerTest, ShouldGoOnAfterARestart) {
  for (int i = 0; i < 3; ++i) {
    const auto ledger = Open();
    EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
    EXPECT_EQ(ledger->Close(R"("event":"closed")").Text(), "OK");
    EXPECT_EQ(ledger->Close(R"("event":"closed")").Text(), "OK");
    test::ExpectSaid(ledger->Append(R"("event":"late")"), Code::kFailedPrecondition, "closed");
  }
  EXPECT_EQ(CheckChain().lines, 6);
}

TEST_F(AuditLedgerTest, ShouldKeepALongChainInOneAcrossRestarts) {
  const std::string members = absl::StrCat(R"("event":")", std::string(500'000, 'x'), "\"");
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(Open()->Append(members).ok());
  EXPECT_EQ(CheckChain().lines, 30);
  test::ExpectSaid(Open()->Append(std::string(2 << 20, 'x')), Code::kResourceExhausted, "too long");
}

TEST_F(AuditLedgerTest, ShouldKeepAndDeclareWhatWasTorn) {
  EXPECT_TRUE(Open()->Append(R"("event":"a")").ok());
  const std::string whole = folder.Read("audit.jsonl");
  for (const std::string& torn :
       {std::string("{\"seq\":2,\"ti"), std::string(100, '\0'), whole.substr(0, whole.size() - 1),
        std::string("#torn\n"), std::string("x#torn\n{\"seq\":2"),
        std::string("x#torn\n#torn\ny")}) {
    folder.Write("audit.jsonl", whole + torn);
    EXPECT_TRUE(Open()->Append(R"("event":"b")").ok());
    EXPECT_EQ(CheckChain().lines, 3);
    const std::string text = folder.Read("audit.jsonl");
    EXPECT_EQ(text.substr(0, whole.size() + torn.size()), whole + torn)
        << "nothing is ever removed";
    const size_t declared = text.find(R"({"seq":2)", whole.size() + torn.size());
    const std::string region = text.substr(whole.size(), declared - whole.size());
    EXPECT_NE(text.find(absl::StrCat(R"("event":"torn","bytes":)", region.size(), R"(,"sha256":")",
                                     Sha256Hex({region}))),
              std::string::npos)
        << text;
    // And once more, past what was torn.
    EXPECT_TRUE(Open()->Append(R"("event":"c")").ok());
    EXPECT_EQ(CheckChain().lines, 4);
  }
}

TEST_F(AuditLedgerTest, ShouldBeginAnewAfterAFirstLineThatWasTorn) {
  folder.Write("audit.jsonl", "{\"seq\":1,\"time");
  EXPECT_TRUE(Open()->Append(R"("event":"a")").ok());
  EXPECT_EQ(CheckChain().lines, 2);
  EXPECT_TRUE(Open()->Append(R"("event":"b")").ok());
  EXPECT_EQ(CheckChain().lines, 3);
}

TEST_F(AuditLedgerTest, ShouldRefuseFilesThatAreNoLedger) {
  for (const char* other : {"hello", "hello\n", "\n", "{\"seq\":1}\n", "\n\n"}) {
    folder.Write("audit.jsonl", other);
    ExpectRefused(Code::kFailedPrecondition, "isn't an audit ledger");
    EXPECT_EQ(folder.Read("audit.jsonl"), other);
  }
  folder.Write("audit.jsonl", std::string(20 << 20, 'x'));
  ExpectRefused(Code::kFailedPrecondition, "isn't an audit ledger");
}

TEST_F(AuditLedgerTest, ShouldRefuseALedgerWhoseEndWasChanged) {
  {
    const auto ledger = Open();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
  }
  const std::vector<std::string> lines = Lines();
  const auto write = [&](const std::vector<std::string>& these) {
    std::string text;
    for (const std::string& line : these) text += line + "\n";
    folder.Write("audit.jsonl", text);
  };
  std::string changed = lines[2];
  changed[changed.find("\"a\"") + 1] = 'b';
  write({lines[0], lines[1], changed});
  ExpectRefused(Code::kFailedPrecondition, "doesn't follow");
  write({lines[0], lines[2]});
  ExpectRefused(Code::kFailedPrecondition, "doesn't follow");
  write({lines[1]});
  ExpectRefused(Code::kFailedPrecondition, "doesn't follow");
  write({lines[0], lines[1], lines[2], "x"});
  ExpectRefused(Code::kFailedPrecondition, "none of a ledger");
  write(lines);
  EXPECT_EQ(Open()->head().lines, 3);
}

TEST_F(AuditLedgerTest, ShouldRefuseNumbersThatNoneFollows) {
  LedgerHead head;
  head.lines = std::numeric_limits<int64_t>::max() - 1;
  const std::string last = MakeLedgerLine(R"("event":"a")", &head);
  head.lines = 0;
  folder.Write("audit.jsonl", absl::StrCat(last, MakeLedgerLine(R"("event":"b")", &head)));
  ExpectRefused(Code::kFailedPrecondition, "was changed or damaged");
}

TEST_F(AuditLedgerTest, ShouldBelongToOneAtATime) {
  const auto ledger = Open();
  ExpectRefused(Code::kFailedPrecondition, "another process, or another node");
  const pid_t child = Fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Status refused;
    const bool open = AuditLedger::Open(file, &refused) != nullptr;
    _exit(!open && refused.code() == Code::kFailedPrecondition ? 0 : 1);
  }
  int outcome = -1;
  ASSERT_EQ(waitpid(child, &outcome, 0), child);
  EXPECT_EQ(outcome, 0);
  ledger->Close();
  EXPECT_EQ(AuditLedger::Open(file, &status) != nullptr, true) << "it was let go of";
}

TEST_F(AuditLedgerTest, ShouldSayWhyAFileCantBeOpened) {
  const auto refused = [this](const std::string& at, const char* said) {
    EXPECT_EQ(AuditLedger::Open(at, &status), nullptr);
    test::ExpectSaid(status, Code::kInvalidArgument, said);
  };
  refused(folder / "none/audit.jsonl", "can't be opened: No such file or directory");
  refused(folder.path(), "can't be opened: Is a directory");
  refused("/dev/null", "not a directory or a device");
}

TEST_F(AuditLedgerTest, ShouldFailOnceSomebodyElseHasChangedTheFile) {
  auto ledger = Open();
  EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
  { std::ofstream(file, std::ios::app) << "x"; }
  test::ExpectSaid(ledger->Append(R"("event":"b")"), Code::kFailedPrecondition,
                   "somebody has changed it");
  ASSERT_EQ(truncate(file.c_str(), 0), 0);
  test::ExpectSaid(ledger->Append(R"("event":"b")"), Code::kFailedPrecondition,
                   "somebody has changed it");
  ledger.reset();

  ledger = Open();
  EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
  ASSERT_EQ(unlink(file.c_str()), 0);
  test::ExpectSaid(ledger->Append(R"("event":"b")"), Code::kFailedPrecondition,
                   "somebody has removed it");
}

// As a full disk does: the file can't grow beyond a size. In a process of its own, as the limit is
// the process's.
TEST_F(AuditLedgerTest, ShouldFailWhileTheDiskIsFullAndGoOnAfterwards) {
  const pid_t child = Fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const auto may_grow_to = [](rlim_t size) {
      const rlimit limit{size, RLIM_INFINITY};
      return setrlimit(RLIMIT_FSIZE, &limit) == 0;
    };
    Status opened;
    const auto ledger = AuditLedger::Open(file, &opened);
    if (ledger == nullptr || !ledger->Append(R"("event":"a")").ok()) _exit(1);
    // At each size on the way through the mark, the line "torn" and the next line.
    const rlim_t whole = folder.Read("audit.jsonl").size();
    for (rlim_t size = whole; size < whole + 700; size += 7) {
      if (!may_grow_to(size)) _exit(2);
      const Status full = ledger->Append(R"("event":"b")");
      if (!full.ok() &&
          (full.code() != Code::kResourceExhausted ||
           full.message().find("nothing leaves or arrives unrecorded") == std::string::npos)) {
        _exit(3);
      }
    }
    if (!may_grow_to(RLIM_INFINITY)) _exit(4);
    if (!ledger->Append(R"("event":"c")").ok()) _exit(5);
    _exit(0);
  }
  int outcome = -1;
  ASSERT_EQ(waitpid(child, &outcome, 0), child);
  ASSERT_TRUE(WIFEXITED(outcome));
  EXPECT_EQ(WEXITSTATUS(outcome), 0);
  const std::string text = folder.Read("audit.jsonl");
  EXPECT_NE(text.find("\"event\":\"torn\""), std::string::npos);
  EXPECT_NE(text.find("\"event\":\"c\""), std::string::npos);
  CheckChain();
}

// What is forced to the disk a while after it was written may turn out to be lost.
TEST_F(AuditLedgerTest, ShouldFailOnceTheDiskHasLostWhatWasWritten) {
  test::LogLines lines;
  auto ledger = Open();
  disk_fails = true;
  EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
  lines.Await("can't be written, and nothing leaves or arrives unrecorded: Input/output error");
  disk_fails = false;
  const auto failed = [&](const Status& said) {
    test::ExpectSaid(said, Code::kInternal, "Input/output error");
    test::ExpectSaid(said, Code::kInternal, file);
  };
  failed(ledger->Append(R"("event":"b")"));
  failed(ledger->Close(R"("event":"close")"));
  EXPECT_EQ(Lines().size(), 1u);
  ledger.reset();

  // As Close finds it.
  ledger = Open();
  disk_fails = true;
  EXPECT_TRUE(ledger->Append(R"("event":"b")").ok());
  const Status closed = ledger->Close();
  disk_fails = false;
  failed(closed);
  EXPECT_EQ(lines.Count("Input/output error"), 2);
  EXPECT_EQ(CheckChain().lines, 2u);
}

// At whatever moment it dies, the next one goes on.
TEST_F(AuditLedgerTest, ShouldGoOnAfterKills) {
  for (int i = 0; i < 10; ++i) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = Fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Status opened;
      const auto ledger = AuditLedger::Open(file, &opened);
      if (ledger == nullptr) _exit(1);
      for (int line = 0;; ++line) {
        if (!ledger->Append(R"("event":"a")").ok()) _exit(2);
        if (line == 100 * i && write(ready[1], "x", 1) != 1) _exit(3);
      }
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    int outcome = 0;
    ASSERT_EQ(waitpid(child, &outcome, 0), child);
    EXPECT_TRUE(WIFSIGNALED(outcome));
    close(ready[0]);
  }
  EXPECT_TRUE(Open()->Append(R"("event":"last")").ok());
  EXPECT_GT(CheckChain().lines, 4500);
}

TEST_F(AuditLedgerTest, ShouldChainWhatManyThreadsAppend) {
  const auto ledger = Open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) EXPECT_TRUE(ledger->Append(R"("event":"a")").ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(CheckChain().lines, 2000);
}

TEST_F(AuditLedgerTest, ShouldWriteNamesAsJson) {
  EXPECT_EQ(LedgerText("a\"b\\c\n"), R"("a\"b\\c\n")");
  EXPECT_EQ(LedgerText("gr\u00fcn"), R"("gr\u00fcn")");
  EXPECT_EQ(LedgerText("x\xff"), R"("x\ufffd")");
}

}  // namespace
}  // namespace efl
