#include "tcp.h"

#include <sys/socket.h>

#include "pattern.h"
#include "process.h"
#include "roundtrip.h"
#include "socket.h"
#include "throughput.h"

namespace efl::bench {
namespace {

// Answers the number of a tensor that has arrived, and again that of one that has been compared.
void ServeRound(const Round& round, Buffer* buffer, uint64_t* next, Socket* socket) {
  for (int i = 0; i < round.count; ++i, ++*next) {
    socket->Receive(buffer->data(), round.bytes);
    if (!MarksFit(buffer->data(), 0, round.bytes, round.bytes, *next)) Die("a wrong tensor");
    socket->Send(next, sizeof(*next));
    Progress();
  }
  const uint64_t last = *next - 1;
  if (!AllFits(buffer->data(), 0, round.bytes, round.bytes, last)) Die("a damaged tensor");
  socket->Send(&last, sizeof(last));
}

void ServeRoundTrips(const Args& args, Socket* socket) {
  Buffer buffer(args.bytes);
  for (int i = 0; i < args.warm + args.count; ++i) {
    socket->Receive(buffer.data(), args.bytes);
    socket->Send(buffer.data(), args.bytes);
    Progress();
  }
}

class TcpLink final : public Link {
 public:
  explicit TcpLink(Socket* socket) : socket_(socket) {}

  void Send(uint64_t, const uint8_t* data, size_t size) override { socket_->Send(data, size); }
  void AwaitArrival() override { Await(arrived_++); }
  void AwaitVerified() override { Await(arrived_ - 1); }

 private:
  void Await(uint64_t expected) {
    uint64_t id = 0;
    socket_->Receive(&id, sizeof(id));
    if (id != expected) Die("an answer for another tensor");
  }

  Socket* const socket_;
  uint64_t arrived_ = 0;
};

class TcpEcho final : public Echo {
 public:
  TcpEcho(Socket* socket, size_t size) : socket_(socket), answer_(size) {}

  void Exchange(const uint8_t* data, size_t size) override {
    socket_->Send(data, size);
    socket_->Receive(answer_.data(), size);
  }
  bool Fits(size_t size, uint64_t id) const override {
    return AllFits(answer_.data(), 0, size, size, id);
  }

 private:
  Socket* const socket_;
  Buffer answer_;
};

}  // namespace

void ServeTcp(const Args& args) {
  const int listener = Listen(args.port);
  Buffer buffer(args.bytes);
  PrintReady();
  Socket socket(accept(listener, nullptr, nullptr), args.tls, true);
  if (args.test_case == "roundtrip") {
    ServeRoundTrips(args, &socket);
  } else {
    uint64_t next = 0;
    for (const Round& round : RoundsOf(args)) ServeRound(round, &buffer, &next, &socket);
  }
  WaitForEnd();
}

void DriveTcp(const Args& args) {
  Socket socket(Dial(args.port), args.tls, false);
  if (args.test_case == "roundtrip") {
    TcpEcho echo(&socket, args.bytes);
    DriveRoundTrips(args, &echo);
  } else {
    TcpLink link(&socket);
    DriveThroughput(args, &link);
  }
}

}  // namespace efl::bench
