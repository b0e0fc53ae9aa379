// What anybody can send to an open port, while a pair works over it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.h"
#include "support/pair.h"
#include "support/raw_peer.h"
#include "support/resident_bytes.h"

namespace efl::test {
namespace {

constexpr const char* kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

size_t OpenFiles() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// A connection to the port, which says what it is told.
class RawConnection {
 public:
  explicit RawConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection() { close(fd_); }
  // Whether it is taken is up to the other side.
  void Say(const std::string& bytes) { send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

 private:
  const int fd_;
};

std::string Random(std::minstd_rand* random, size_t size) {
  std::string bytes(size, 0);
  for (char& byte : bytes) byte = static_cast<char>((*random)() >> 8);
  return bytes;
}

// Header of a frame of HTTP/2.
std::string Frame(uint32_t size, char type, char flags, uint32_t stream) {
  std::string head;
  for (const int shift : {16, 8, 0}) head += static_cast<char>(size >> shift);
  head += type;
  head += flags;
  for (const int shift : {24, 16, 8, 0}) head += static_cast<char>(stream >> shift);
  return head;
}

class LivePortTest : public testing::Test {
 protected:
  LivePortTest() {
    for (Party* party : {&pair.leader, &pair.follower}) {
      party->options.wire = WireChoice::kLink;
      party->options.keepalive_interval_ms = 0;  // nobody is taken for dead on a busy machine
    }
  }

  // Tensors both ways, verified, for as long as the attack takes and some more.
  void Under(const std::function<void(int port)>& attack) {
    std::atomic<bool> over{false};
    std::atomic<int> exchanged{0};
    std::thread working([&] {
      const std::vector<float> values(20'000, 1.5f);
      for (int step = first_step_; !over || exchanged < 3; ++step, ++first_step_) {
        ASSERT_NO_FATAL_FAILURE(Exchange(&pair, step, values));
        ++exchanged;
      }
    });
    attack(pair.leader.node->port());
    exchanged = 0;
    over = true;
    working.join();
    EXPECT_GE(exchanged, 3) << "after the attack";
    EXPECT_EQ(pair.leader.peer->standing().state, PeerState::kReady);
    EXPECT_EQ(pair.leader.peer->stats().reconnects, 0);
  }

  // The same, with an eye on what it leaves behind.
  void LeavesNothing(const std::function<void(int port)>& attack) {
    Under(attack);  // memory that is kept for the next time
    const size_t files = OpenFiles();
    const int64_t resident = ResidentBytes();
    Under(attack);
    EXPECT_TRUE(Eventually([&] { return OpenFiles() <= files; })) << OpenFiles() << " > " << files;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep what is freed
    EXPECT_LE(ResidentBytes() - resident, 64 << 20);
#else
    static_cast<void>(resident);
#endif
  }

  Pair pair;
  int first_step_ = 0;
};

TEST_F(LivePortTest, ShouldServeItsPeerAmidRandomBytes) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::minstd_rand random(seed);
  pair.Connect();
  LeavesNothing([&](int port) {
    for (int i = 0; i < 150; ++i) {
      RawConnection stranger(port);
      if (i % 2 == 0) stranger.Say(kPreface);
      stranger.Say(Random(&random, 1 + random() % 4096));
    }
  });
}

TEST_F(LivePortTest, ShouldServeItsPeerAmidOtherProtocols) {
  pair.Connect();
  const std::string said[] = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST /efl.LinkService/Exchange HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n{",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'r'),
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string(kPreface).substr(0, 10),                                        // truncated
      std::string(kPreface) + Frame(0, 4, 0, 0) + Frame(100, 1, 4, 1) + "short",  // likewise
      std::string(kPreface) + Frame(0xffffff, 0, 0, 1),                           // a length beyond
      std::string(kPreface) + Frame(0, 4, 0, 0) + Frame(4, 3, 0, 7) + "abcd",     // resets nobody
      std::string(kPreface) + Frame(6, 4, 0, 0) + std::string("\0\5\0\0\0\1", 6),
  };
  LeavesNothing([&](int port) {
    for (int round = 0; round < 10; ++round) {
      for (const std::string& bytes : said) RawConnection(port).Say(bytes);
    }
  });
}

TEST_F(LivePortTest, ShouldServeItsPeerAmidPlaintextOnATlsPort) {
  Certificates certificates;
  certificates.Make("leader");
  certificates.Make("follower");
  pair.leader.options.tls = certificates.Tls("leader");
  pair.follower.options.tls = certificates.Tls("follower");
  pair.Connect();
  std::minstd_rand random(7);
  LeavesNothing([&](int port) {
    for (int i = 0; i < 100; ++i) {
      RawConnection stranger(port);
      stranger.Say(i % 2 == 0 ? std::string(kPreface) : std::string("\x16\x03\x01\x00\xff", 5));
      stranger.Say(Random(&random, 300));
    }
  });
}

TEST_F(LivePortTest, ShouldServeItsPeerAmidConnectionsThatSayNothingOrNoEndOfIt) {
  pair.Connect();
  LeavesNothing([&](int port) {
    std::vector<std::unique_ptr<RawConnection>> strangers;
    for (int i = 0; i < 300; ++i) strangers.push_back(std::make_unique<RawConnection>(port));
    // Half a handshake each, byte by byte.
    for (size_t at = 0; at < 12; ++at) {
      for (const auto& stranger : strangers) stranger->Say(std::string(1, kPreface[at]));
    }
  });
}

TEST_F(LivePortTest, ShouldServeItsPeerAmidStreamsThatNeverShakeHands) {
  pair.Connect();
  LeavesNothing([&](int port) {
    std::vector<std::unique_ptr<RawPeer>> strangers;
    for (int i = 0; i < 300; ++i) strangers.push_back(std::make_unique<RawPeer>(port));
    // The first had to make room.
    EXPECT_EQ(strangers.front()->End().error_code(), grpc::StatusCode::UNAVAILABLE);
  });
}

TEST_F(LivePortTest, ShouldServeItsPeerAmidHandshakesThatAreRefused) {
  pair.Connect();
  LeavesNothing([&](int port) {
    for (int i = 0; i < 60; ++i) {
      RawPeer stranger(port);
      LinkControl hello = RawPeer::Hello(static_cast<uint64_t>(i), i % 2 == 0);
      if (i % 3 == 0) hello.mutable_frames(0)->mutable_goodbye();
      stranger.Send(hello, i % 5 == 0 ? "some data" : "");
      EXPECT_FALSE(stranger.End().ok());
    }
  });
}

}  // namespace
}  // namespace efl::test
