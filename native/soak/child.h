// A process that is told things on its standard input and says things on its standard output.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace efl::soak {

class Child {
 public:
  // `on_line` runs on a thread of its own; an empty line is the end. Throws std::system_error.
  Child(const std::vector<std::string>& command, std::function<void(const std::string&)> on_line);
  // Kills it, if it still runs, and waits for it.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Dropped when it is gone.
  void Tell(const std::string& line);
  // kill -9; it is gone on return, and all it has said has been heard. False when it had ended by
  // itself before.
  bool Kill();
  // Asks it to end and waits; false when it didn't end with 0 in time, and had to be killed.
  bool Quit(int limit_ms);
  double resident_mib() const;

 private:
  void Read(const std::function<void(const std::string&)>& on_line) const;

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::thread reader_;
};

}  // namespace efl::soak
