// Calls a party by itself, as whoever has these certificates.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/client.h"
#include "grpc/grpc_status.h"
#include "support/pair.h"
#include "wire/messages.h"

namespace efl::test {

class Stranger {
 public:
  Stranger(int port, const TlsOptions& tls)
      : client_(Address(port), Load(tls), nullptr, &streams_.queue) {}
  ~Stranger() { client_.Close(); }

  Status Call(const char* method, const google::protobuf::Message& request) {
    Ending ending;
    Start(method, request, ending.done());
    return ending.status();
  }

  void Start(const char* method, const google::protobuf::Message& request, Operation::Done done) {
    grpc::ByteBuffer bytes;
    bool own = false;
    grpc::SerializationTraits<google::protobuf::Message>::Serialize(request, &bytes, &own);
    client_.Call(method, bytes, 20'000,
                 [done = std::move(done)](const grpc::Status& status, grpc::ByteBuffer*) {
                   done(FromGrpc(status), {});
                 });
  }

  Status Stream() {
    struct Events final : StreamEvents {
      explicit Events(Operation::Done ended) : done(std::move(ended)) {}
      void OnOpen(const StreamPtr&) override {}
      void OnMessage(grpc::ByteBuffer*) override {}
      void OnWritten() override {}
      void OnClosed(const grpc::Status& status) override { done(FromGrpc(status), {}); }
      Operation::Done done;
    };
    Ending ending;
    client_.Open("/efl.LinkService/Exchange", 0, std::make_shared<Events>(ending.done()));
    return ending.status();
  }

 private:
  static ClientOptions Address(int port) {
    ClientOptions options;
    options.address = absl::StrCat("127.0.0.1:", port);
    options.max_send_message_size = options.max_receive_message_size = 1 << 20;
    return options;
  }
  static TlsFilesPtr Load(const TlsOptions& tls) {
    Status status;
    TlsFilesPtr files = TlsFiles::Load(tls, &status);
    EXPECT_EQ(status.Text(), "OK");
    return files;
  }

  StreamQueue streams_;
  Client client_;
};

}  // namespace efl::test
