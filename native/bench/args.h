// What the command line says.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace efl::bench {

struct Args {
  std::string command;    // serve, drive, proxy
  std::string system;     // grpc-cpp, tcp, efl-cpp
  std::string test_case;  // throughput, one, roundtrip, names, memory
  int port = 0;
  int peer_port = 0;
  int dial_port = 0;  // 0: the port that the other side listens on
  std::string tls;    // a directory, empty for plaintext
  int limit_s = 60;

  size_t bytes = 0;  // 0: the default of the case, as below
  int count = 0;
  int reps = 5;
  int in_flight = 2;
  int warm = 1000;
  int names = 64;
  int total = 20000;

  std::vector<std::pair<std::string, std::string>> options;   // of efl.h
  std::vector<std::pair<std::string, std::string>> channels;  // channel arguments of gRPC
  size_t chunk = 0;
  bool buffer_hint = false;
  bool land_copy = false;
  bool tuned_malloc = false;

  int listen = 0;
  int to = 0;
  double delay_ms = 0;
  size_t queue_mib = 512;

  bool serving() const { return command == "serve"; }
};

// Defaults filled in. A command line that can't be meant ends the process with 2.
Args ParseArgs(int argc, char** argv);

}  // namespace efl::bench
