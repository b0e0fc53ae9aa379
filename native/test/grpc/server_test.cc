// A live port and those who are not peers.
#include "grpc/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>

#include "support/pair.h"

namespace efl::test {
namespace {

// Sends these bytes to a port of loopback and takes what comes until the other side closes or a
// short while has passed.
void Poke(int port, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const timeval wait{0, 20'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char buffer[4096];
  while (recv(fd, buffer, sizeof(buffer), 0) > 0) {
  }
  close(fd);
}

TEST(ServerTest, ShouldRefuseAPortInUseAndSayWhy) {
  Party first(Role::kLeader), second(Role::kLeader);
  ASSERT_EQ(first.Open().Text(), "OK");
  second.options.listen_address = "127.0.0.1:" + std::to_string(first.node->port());
  const Status status = second.Open();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("Address already in use"), std::string::npos) << status.Text();
}

TEST(ServerTest, ShouldRefuseAnAddressThatIsNotItsOwn) {
  Party party(Role::kLeader);
  party.options.tls.plaintext = Plaintext::kAllow;
  party.options.listen_address = "192.0.2.1:0";
  EXPECT_NE(party.Open().message().find("Cannot assign requested address"), std::string::npos);
  party.options.listen_address = "no-such-host.invalid:0";
  const Status status = party.Open();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("does not resolve"), std::string::npos) << status.Text();
}

TEST(ServerTest, ShouldGoOnServingItsPeerWhileOthersSendNonsense) {
  Pair pair;
  pair.Connect();
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (int round = 0; round < 30; ++round) {
    std::string noise(random() % 2000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    Poke(pair.leader.node->port(), round % 3 == 0   ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                                   : round % 3 == 1 ? preface + noise
                                                    : noise);
  }
  const std::vector<float> values{1, 2, 3};
  Arrival arrival;
  Ending sent;
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(sent.status().Text(), "OK");
}

}  // namespace
}  // namespace efl::test
