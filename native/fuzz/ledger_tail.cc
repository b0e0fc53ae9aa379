#include "governance/ledger_tail.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {
namespace {

constexpr int kMostLines = 8;
constexpr int64_t kManyLines = int64_t{1} << 50;

// Since no fuzzer guesses hashes: lines that follow from each other, torn and changed here and
// there.
std::string Ledger(Input* input) {
  LedgerHead head;
  head.lines = static_cast<int64_t>(input->Number());
  if (head.lines < 0 || head.lines > kManyLines) head.lines = 0;
  std::string ledger;
  for (int i = 0; i < kMostLines && !input->empty(); ++i) {
    const uint8_t how = input->Byte();
    const size_t begin = ledger.size();
    ledger += MakeLedgerLine(LedgerText(input->Bytes(how % 16)), &head);
    if (how >= 0xf0) ledger.resize(begin + input->Byte() % (ledger.size() - begin));
    if (how >= 0xf8) absl::StrAppend(&ledger, std::string(kTornMark), "\n");
    if (how % 16 == 15) ledger[begin + input->Byte() % (ledger.size() - begin)] ^= 1;
  }
  return ledger + input->Rest();
}

Status ReadTail(int fd, const std::string& ledger, efl::LedgerTail* tail) {
  const auto size = static_cast<ssize_t>(ledger.size());
  Check(ftruncate(fd, 0) == 0 && pwrite(fd, ledger.data(), ledger.size(), 0) == size,
        "a file in memory can be written");
  return ReadLedgerTail(fd, size, tail);
}

}  // namespace

void LedgerTail(const uint8_t* data, size_t size) {
  static const int fd = memfd_create("ledger", MFD_CLOEXEC);
  Input input(data, size);
  std::string ledger = input.Byte() % 2 == 0 ? input.Rest() : Ledger(&input);
  efl::LedgerTail tail;
  const Status status = ReadTail(fd, ledger, &tail);
  if (!status.ok()) return Check(!status.message().empty(), "it is refused with a reason");
  Check(tail.torn.size() <= ledger.size() &&
            ledger.compare(ledger.size() - tail.torn.size(), tail.torn.size(), tail.torn) == 0,
        "what is torn is the end of the file");
  Check(tail.head.lines >= 0, "lines are counted from 1");
  // The ledger goes on from there.
  if (!tail.torn.empty()) absl::StrAppend(&ledger, std::string(kTornMark), "\n");
  LedgerHead head = tail.head;
  ledger += MakeLedgerLine(R"("event":"opened")", &head);
  Check(ReadTail(fd, ledger, &tail).ok(), "what goes on can be read");
  Check(tail.torn.empty() && tail.head.lines == head.lines && tail.head.hash == head.hash,
        "from where it went on");
}

}  // namespace efl::fuzz
