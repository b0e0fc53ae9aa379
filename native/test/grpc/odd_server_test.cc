// Servers that speak HTTP/2 and break the rules of gRPC.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpc/client.h"
#include "support/pair.h"

namespace efl::test {
namespace {

enum FrameType : uint8_t { kHeaders = 1, kSettings = 4 };
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndOfStreamAndHeaders = 5;
constexpr size_t kPreface = 24;
// In HPACK's static table.
constexpr char kStatus200 = '\x88';

// Takes one connection and answers each call with these headers, which end it.
class OddServer {
 public:
  explicit OddServer(std::string headers) : headers_(std::move(headers)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OddServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    Frame(fd, kSettings, 0, std::string(4, '\0'), "");
    std::string bytes(kPreface, '\0');
    for (bool there = Take(fd, &bytes); there;) {
      std::string head(9, '\0');
      if (!Take(fd, &head)) break;
      const auto byte = [&head](int i) {
        return static_cast<uint8_t>(head[static_cast<size_t>(i)]);
      };
      bytes.assign(static_cast<size_t>(byte(0) << 16 | byte(1) << 8 | byte(2)), '\0');
      there = Take(fd, &bytes);
      if (byte(3) == kSettings && byte(4) != kAck) Frame(fd, kSettings, kAck, head.substr(5), "");
      if (byte(3) == kHeaders)
        Frame(fd, kHeaders, kEndOfStreamAndHeaders, head.substr(5), headers_);
    }
    close(fd);
  }
  static bool Take(int fd, std::string* bytes) {
    return bytes->empty() || recv(fd, bytes->data(), bytes->size(), MSG_WAITALL) ==
                                 static_cast<ssize_t>(bytes->size());
  }
  static void Frame(int fd, uint8_t type, uint8_t flags, const std::string& stream,
                    const std::string& payload) {
    const std::string frame =
        absl::StrCat(std::string(2, '\0'), std::string(1, static_cast<char>(payload.size())),
                     std::string(1, static_cast<char>(type)),
                     std::string(1, static_cast<char>(flags)), stream, payload);
    send(fd, frame.data(), frame.size(), MSG_NOSIGNAL);
  }

  const std::string headers_;
  const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  int port_ = 0;
  std::thread thread_;
};

// gRPC's retries take the status for granted.
TEST(OddServerTest, ShouldNotTakeTheProcessDownByEndingACallWithoutAStatus) {
  const OddServer server({kStatus200});
  StreamQueue streams;
  ClientOptions options;
  options.address = absl::StrCat("127.0.0.1:", server.port());
  options.max_send_message_size = options.max_receive_message_size = 1 << 20;
  Client client(options, TlsFiles::None(), nullptr, &streams.queue);
  Ending ending;
  client.Call("/efl.PairService/Hello", {}, 10'000,
              [done = ending.done()](const grpc::Status& status, grpc::ByteBuffer*) {
                done({static_cast<Code>(status.error_code()), status.error_message()}, {});
              });
  EXPECT_EQ(ending.status().code(), Code::kUnknown) << ending.status().Text();
  client.Close();
}

}  // namespace
}  // namespace efl::test
