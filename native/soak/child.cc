#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

extern char** environ;

namespace efl::soak {
namespace {

constexpr int kLookEveryMs = 10;

void Pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
}

}  // namespace

Child::Child(const std::vector<std::string>& command,
             std::function<void(const std::string&)> on_line) {
  int in[2], out[2];
  Pipe(in);
  Pipe(out);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int failed = posix_spawn(&pid_, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  in_ = in[1];
  out_ = out[0];
  if (failed != 0) throw std::system_error(failed, std::generic_category(), command[0]);
  reader_ = std::thread([this, on_line = std::move(on_line)] { Read(on_line); });
}

Child::~Child() {
  Kill();
  close(in_);
  close(out_);
}

void Child::Read(const std::function<void(const std::string&)>& on_line) const {
  std::string pending;
  char bytes[65536];
  for (;;) {
    const ssize_t size = read(out_, bytes, sizeof(bytes));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    pending.append(bytes, static_cast<size_t>(size));
    size_t begin = 0;
    for (size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      on_line(pending.substr(begin, end - begin));
    }
    pending.erase(0, begin);
  }
  on_line("");
}

void Child::Tell(const std::string& line) {
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t size = write(in_, text.data(), text.size());
}

bool Child::Kill() {
  int status = 0;
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, -1), &status, 0);
  }
  if (reader_.joinable()) reader_.join();
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

bool Child::Quit(int limit_ms) {
  Tell("QUIT");
  int status = 0;
  for (int waited = 0; waited < limit_ms; waited += kLookEveryMs) {
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      Kill();
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    usleep(kLookEveryMs * 1000);
  }
  Kill();
  return false;
}

double Child::resident_mib() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  return 0;
}

}  // namespace efl::soak
