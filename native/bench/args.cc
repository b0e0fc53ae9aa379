#include "args.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

namespace efl::bench {
namespace {

constexpr const char* kHelp =
    R"(usage: efl_bench serve SYSTEM --port P [--peer-port Q] --case CASE [option...]
       efl_bench drive SYSTEM --port P [--peer-port Q] --case CASE [option...]
       efl_bench proxy --listen P --to Q --delay-ms D [--queue-mib 512]

Measures how fast tensors go from one process to another over localhost. serve prints READY once it
accepts, serves one drive, and ends when its standard input does. drive prints one line of JSON and
exits with 0, or a reason on standard error and exits with 1. Both get the same case and sizes.

SYSTEM
  grpc-cpp   bare gRPC: one asynchronous stream of byte buffers
  tcp        a blocking socket; with --tls, OpenSSL on it
  efl-cpp    the kernel through efl.h: serve is the leader and listens on --port, drive is the
             follower and listens on --peer-port

CASE
  throughput  --bytes 67108864 --count 16 --reps 5 --in-flight 2: tensors one after another, after a
              repetition that isn't counted. {"gb_per_s":[...],"median":x}, 1 GB = 1e9 bytes
  one         --bytes 1073741824 --reps 5: one tensor at a time, after a small one that isn't
              counted. {"gb_per_s":[...],"median":x}
  roundtrip   --bytes 64 --count 3000 --warm 1000: there and back, after those that aren't counted.
              {"p50_us":x,"p99_us":x}
  names       (efl-cpp) --names 64 --total 20000: tensors of 1 KiB, all names in flight at once.
              {"us_per_tensor":x}
  memory      (efl-cpp) --bytes 4294967296: what one tensor adds to the resident memory of each side
              at its peak. {"sender_mib":x,"receiver_mib":x}; serve sends its figure to drive as a
              tensor

Options
  --tls DIR          mutual TLS with what scripts/certs makes; serve is leader, drive is follower
  --limit-s 60       without progress for so long a process gives up
  --malloc tuned     keeps freed memory in the process; as-is by default
  --option KEY=VALUE efl-cpp: given to efl_options_set, repeatable
  --dial-port P      efl-cpp: where to dial instead of the port that the other side listens on, for
                     a proxy in between
  --land copy|none   grpc-cpp: whether serve copies the payload into place; none by default
  --chunk BYTES      grpc-cpp: of one message of the stream
  --buffer-hint 1    grpc-cpp: writes end when they are buffered
  --arg KEY=VALUE    grpc-cpp: a channel argument that is an integer, repeatable
)";

[[noreturn]] void WrongUsage(const std::string& what) {
  std::fprintf(stderr, "efl_bench: %s; see efl_bench --help\n", what.c_str());
  std::exit(2);
}

long long Number(const std::string& key, const std::string& value) {
  char* end = nullptr;
  const long long number = std::strtoll(value.c_str(), &end, 10);
  if (value.empty() || *end != 0 || number < 0) WrongUsage(key + " takes a number");
  return number;
}

std::pair<std::string, std::string> KeyValue(const std::string& key, const std::string& value) {
  const size_t at = value.find('=');
  if (at == std::string::npos) WrongUsage(key + " takes KEY=VALUE");
  return {value.substr(0, at), value.substr(at + 1)};
}

bool OneOf(const std::string& key, const std::string& value, const char* no, const char* yes) {
  if (value != no && value != yes) WrongUsage(key + " takes " + no + " or " + yes);
  return value == yes;
}

using Setter = std::function<void(Args*, const std::string& key, const std::string& value)>;

Setter Int(int Args::*field) {
  return [field](Args* args, const std::string& key, const std::string& value) {
    args->*field = static_cast<int>(Number(key, value));
  };
}

Setter Size(size_t Args::*field) {
  return [field](Args* args, const std::string& key, const std::string& value) {
    args->*field = static_cast<size_t>(Number(key, value));
  };
}

Setter Text(std::string Args::*field) {
  return
      [field](Args* args, const std::string&, const std::string& value) { args->*field = value; };
}

Setter Pair(std::vector<std::pair<std::string, std::string>> Args::*field) {
  return [field](Args* args, const std::string& key, const std::string& value) {
    (args->*field).push_back(KeyValue(key, value));
  };
}

Setter Choice(bool Args::*field, const char* no, const char* yes) {
  return [field, no, yes](Args* args, const std::string& key, const std::string& value) {
    args->*field = OneOf(key, value, no, yes);
  };
}

const std::map<std::string, Setter>& Setters() {
  static const auto& setters = *new std::map<std::string, Setter>{
      {"--port", Int(&Args::port)},
      {"--peer-port", Int(&Args::peer_port)},
      {"--dial-port", Int(&Args::dial_port)},
      {"--case", Text(&Args::test_case)},
      {"--tls", Text(&Args::tls)},
      {"--limit-s", Int(&Args::limit_s)},
      {"--bytes", Size(&Args::bytes)},
      {"--count", Int(&Args::count)},
      {"--reps", Int(&Args::reps)},
      {"--in-flight", Int(&Args::in_flight)},
      {"--warm", Int(&Args::warm)},
      {"--names", Int(&Args::names)},
      {"--total", Int(&Args::total)},
      {"--option", Pair(&Args::options)},
      {"--arg", Pair(&Args::channels)},
      {"--chunk", Size(&Args::chunk)},
      {"--buffer-hint", Choice(&Args::buffer_hint, "0", "1")},
      {"--land", Choice(&Args::land_copy, "none", "copy")},
      {"--malloc", Choice(&Args::tuned_malloc, "as-is", "tuned")},
      {"--listen", Int(&Args::listen)},
      {"--to", Int(&Args::to)},
      {"--delay-ms",
       [](Args* args, const std::string&, const std::string& value) {
         args->delay_ms = std::strtod(value.c_str(), nullptr);
       }},
      {"--queue-mib", Size(&Args::queue_mib)},
  };
  return setters;
}

void FillIn(Args* args) {
  struct Default {
    size_t bytes;
    int count;
  };
  static const auto& defaults = *new std::map<std::string, Default>{
      {"throughput", {size_t{64} << 20, 16}},
      {"one", {size_t{1} << 30, 1}},
      {"roundtrip", {64, 3000}},
      {"names", {1024, 1}},
      {"memory", {size_t{4} << 30, 1}},
  };
  const auto at = defaults.find(args->test_case);
  if (at == defaults.end()) WrongUsage("--case is none of the cases: '" + args->test_case + "'");
  if (args->bytes == 0) args->bytes = at->second.bytes;
  if (args->count == 0) args->count = at->second.count;
}

void Check(const Args& args) {
  static const auto& systems = *new std::set<std::string>{"grpc-cpp", "tcp", "efl-cpp"};
  if (systems.count(args.system) == 0) WrongUsage("no such system: '" + args.system + "'");
  const bool efl = args.system == "efl-cpp";
  if (!efl && (args.test_case == "names" || args.test_case == "memory")) {
    WrongUsage("--case " + args.test_case + " is for efl-cpp alone");
  }
  if (args.port == 0) WrongUsage("--port is missing");
  if (efl && args.peer_port == 0) WrongUsage("--peer-port is missing");
  if (args.bytes % 4 != 0) WrongUsage("--bytes has to be a number of whole floats");
  if (args.reps < 1 || args.in_flight < 1 || args.names < 1 || args.total < args.names ||
      args.limit_s < 1) {
    WrongUsage("--reps, --in-flight, --names, --total or --limit-s is too small");
  }
}

}  // namespace

Args ParseArgs(int argc, char** argv) {
  Args args;
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help" || words[i] == "-h") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (words[i].rfind("--", 0) != 0) {
      std::string& into = args.command.empty() ? args.command : args.system;
      if (!into.empty()) WrongUsage("'" + words[i] + "' is one too many");
      into = words[i];
      continue;
    }
    const auto setter = Setters().find(words[i]);
    if (setter == Setters().end()) WrongUsage("no such option: " + words[i]);
    if (i + 1 == words.size()) WrongUsage(words[i] + " takes a value");
    setter->second(&args, words[i], words[i + 1]);
    ++i;
  }
  if (args.command == "proxy") {
    if (args.listen == 0 || args.to == 0) WrongUsage("--listen and --to have to be given");
  } else if (args.command == "serve" || args.command == "drive") {
    FillIn(&args);
    Check(args);
  } else {
    WrongUsage("serve, drive or proxy?");
  }
  return args;
}

}  // namespace efl::bench
