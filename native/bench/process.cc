#include "process.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

namespace efl::bench {
namespace {

std::atomic<uint64_t> progress{0};

double StatusMib(const char* field) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != field) continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  Die("/proc/self/status can't be read");
}

}  // namespace

void Die(const std::string& reason) {
  std::fprintf(stderr, "efl_bench: %s\n", reason.c_str());
  std::fflush(nullptr);
  _exit(1);
}

void StartLimit(int limit_s) {
  std::thread([limit_s] {
    uint64_t seen = progress;
    int64_t since = NowNs();
    for (;;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (const uint64_t now = progress; now != seen) {
        seen = now;
        since = NowNs();
      } else if (NowNs() - since > limit_s * int64_t{1'000'000'000}) {
        Die("no progress for " + std::to_string(limit_s) + " s");
      }
    }
  }).detach();
}

void Progress() { progress.fetch_add(1, std::memory_order_relaxed); }

void EndWithStdin() {
  std::thread([] {
    char bytes[256];
    ssize_t size = 0;
    do {
      size = read(STDIN_FILENO, bytes, sizeof(bytes));
    } while (size > 0);
    std::fflush(nullptr);
    _exit(0);
  }).detach();
}

void PrintReady() {
  std::puts("READY");
  std::fflush(stdout);
}

void WaitForEnd() {
  for (;;) pause();
}

void TuneMalloc() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

double ResidentMib() { return StatusMib("VmRSS:"); }
double PeakMib() { return StatusMib("VmHWM:"); }

void ResetPeak() {
  std::ofstream refs("/proc/self/clear_refs");
  if (!(refs << 5 << std::flush)) Die("the peak of resident memory can't be reset");
}

Buffer::Buffer(size_t size) : data_(nullptr), size_(size) {
  void* made = mmap(nullptr, std::max<size_t>(size, 1), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (made == MAP_FAILED) Die("no memory for a buffer of " + std::to_string(size) + " bytes");
  data_ = static_cast<uint8_t*>(made);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}

Buffer::~Buffer() {
  if (data_ != nullptr) munmap(data_, std::max<size_t>(size_, 1));
}

void PrintThroughput(const std::vector<double>& gb_per_s) {
  std::vector<double> sorted = gb_per_s;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  const double median =
      sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  std::printf("{\"gb_per_s\":[");
  for (size_t i = 0; i < gb_per_s.size(); ++i) std::printf(i == 0 ? "%.4f" : ",%.4f", gb_per_s[i]);
  std::printf("],\"median\":%.4f}\n", median);
  std::fflush(stdout);
}

void PrintRoundTrips(std::vector<int64_t> ns) {
  std::sort(ns.begin(), ns.end());
  const auto at = [&ns](size_t percent) {
    return static_cast<double>(ns[std::min(ns.size() - 1, ns.size() * percent / 100)]) / 1000;
  };
  std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", at(50), at(99));
  std::fflush(stdout);
}

}  // namespace efl::bench
