// Another process of this program, which runs one function instead of the tests.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>

namespace efl::test {

// What such a process does, by name, given the port of a leader. Registered before main.
class ChildProgram {
 public:
  using Run = void (*)(int leader_port);
  ChildProgram(const std::string& name, Run run) { All()[name] = run; }
  static std::map<std::string, Run>& All() {
    static std::map<std::string, Run>& all = *new std::map<std::string, Run>;
    return all;
  }
};

// It is killed when this goes.
class Child {
 public:
  static constexpr const char* kArgument = "--child";

  Child(const char* program, int leader_port) {
    const std::string port = std::to_string(leader_port);
    const char* arguments[] = {"/proc/self/exe", kArgument, program, port.c_str(), nullptr};
    EXPECT_EQ(
        posix_spawn(&id_, arguments[0], nullptr, nullptr, const_cast<char**>(arguments), environ),
        0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    Tell(SIGKILL);
    if (id_ > 0) waitpid(id_, nullptr, 0);
  }
  // Until it ends by itself: its exit code, or -1.
  int Wait() {
    int status = 0;
    if (id_ <= 0 || waitpid(std::exchange(id_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void Freeze() const { Tell(SIGSTOP); }
  void Thaw() const { Tell(SIGCONT); }

 private:
  // Nobody where it could not be started: -1 is everybody.
  void Tell(int signal) const {
    if (id_ > 0) kill(id_, signal);
  }

  pid_t id_ = -1;
};

}  // namespace efl::test
