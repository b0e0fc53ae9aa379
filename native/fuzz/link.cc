// A real Peer with its link, at the end of streams that the input is the other end of.
#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "base/log.h"
#include "communicator/monitor.h"
#include "communicator/peer.h"
#include "efl/link_service.pb.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "grpc/server.h"
#include "wire/link/link_message.h"

namespace efl::fuzz {
namespace {

constexpr int kMostSteps = 300;
constexpr uint32_t kChunk = kShortestChunk;
constexpr uint64_t kSession = 42;
constexpr size_t kMostFloats = 1 << 12;

TlsFilesPtr NoTls() {
  Status status;
  auto files = TlsFiles::Load({}, &status);
  Check(status.ok(), "TLS may be off");
  return files;
}

std::shared_ptr<Governance> NoRules() {
  Status status;
  auto governance = Governance::Open({}, &status);
  Check(status.ok(), "no rules are fine");
  return governance;
}

// What outlives an input: threads that serve timers.
std::unique_ptr<Server>& TheServer() {
  static auto& server = *new std::unique_ptr<Server>([] {
    SetLog([](LogLevel, const std::string&) {}, LogLevel::kError);
    auto made = std::make_unique<Server>(ServerOptions(), NoTls());
    Check(made->Start().ok(), "a server that doesn't listen starts");
    return made;
  }());
  return server;
}

const std::shared_ptr<Monitor>& TheMonitor() {
  static const auto& monitor =
      *new std::shared_ptr<Monitor>(std::make_shared<Monitor>(std::chrono::seconds(30)));
  return monitor;
}

// A stream whose other end is the input.
class FakeStream final : public Stream {
 public:
  void Write(const grpc::ByteBuffer& message) override {
    if (closed_) return;
    Check(!writing_, "one message is written at a time");
    writing_ = true;
    LinkMessageReader reader;
    LinkControl control;
    Check(reader.Read(message, &control).ok(), "what this party says can be read");
    Check(control.message() == ++written_, "messages are numbered");
    for (const LinkFrame& frame : control.frames()) {
      Span span;
      if (frame.has_chunk()) Check(reader.Next(frame.chunk().size(), &span), "chunks are whole");
    }
  }
  void Close(const grpc::Status&) override { closed_ = true; }

  bool closed() const { return closed_; }
  // Whether a message was under way, which is now written.
  bool TakeWritten() { return std::exchange(writing_, false); }
  uint64_t NextMessage() { return ++read_; }

 private:
  bool closed_ = false;
  bool writing_ = false;
  uint64_t written_ = 0;
  uint64_t read_ = 0;
};

class Story {
 public:
  explicit Story(Input* input) : input_(*input) {
    Options options;
    options.role = Role::kLeader;
    options.wire = WireChoice::kLink;
    options.mailbox_bytes = 16 << 10;
    options.window_bytes = 1 << 20;
    options.send_completion =
        input_.Byte() % 2 == 0 ? SendCompletion::kAccepted : SendCompletion::kConsumed;
    peer_ = std::shared_ptr<Peer>(
        new Peer(options, NoTls(), TheMonitor(), NoRules(), 1, TheServer().get(), [] {}));
    Check(peer_->RegisterTensor("x", kFloat, std::nullopt).ok(), "x is registered");
    Check(peer_->RegisterTensor("s", kString, std::nullopt).ok(), "s is registered");
    Check(peer_->RegisterDataset("train").ok(), "train is registered");
  }

  void Run() {
    peer_->Connect(Call());
    Open();
    Hello(false);
    for (int i = 0; i < kMostSteps && !input_.empty(); ++i) Step(input_.Byte());
    while (!streams_.empty()) End(&streams_.front());
    peer_->BeginClose();
    peer_->SayGoodbye();
    peer_->FinishClose();
    Check(peer_->pending() == 0 && begun_ == ended_, "every operation has ended once");
  }

 private:
  struct Way {
    std::shared_ptr<FakeStream> stream;
    StreamEventsPtr events;
  };

  Peer::Call Call() {
    ++begun_;
    return {1 + begun_ % 3, -1, [this](const Status&, const Outcome&) { ++ended_; }};
  }
  Way& Last() { return streams_.back(); }

  void Open() {
    Status refused;
    streams_.push_back({std::make_shared<FakeStream>(), peer_->AcceptStream(nullptr, &refused)});
    Check(refused.ok(), "without TLS anybody may open a stream");
    Last().events->OnOpen(Last().stream);
  }
  void End(Way* one) {
    one->stream->Close({});
    one->events->OnClosed({grpc::StatusCode::UNAVAILABLE, "cut"});
    streams_.remove_if([one](const Way& other) { return &other == one; });
  }

  void Tell(Way* one, LinkControl control, const std::string& data) {
    if (one->stream->closed()) return End(one);
    if (control.message() == 0) control.set_message(one->stream->NextMessage());
    ChunkData chunks;
    chunks.AddCopy(data.data(), data.size());
    grpc::ByteBuffer bytes = EncodeLinkMessage(control, std::move(chunks));
    one->events->OnMessage(&bytes);
    if (one->stream->closed()) End(one);
  }

  void Hello(bool strange) {
    LinkControl control;
    LinkHello* hello = control.add_frames()->mutable_hello();
    hello->mutable_pair()->set_protocol_version(1);
    hello->mutable_pair()->set_role(PARTY_ROLE_FOLLOWER);
    hello->mutable_pair()->set_incarnation(strange ? input_.Number() : 7);
    hello->set_session(strange ? input_.Number() : kSession);
    hello->set_resumes(met_);
    hello->set_connection(strange ? input_.Byte() % 4 : 0);
    hello->mutable_terms()->set_window_bytes(strange ? input_.Number() : 1 << 20);
    hello->mutable_terms()->set_chunk_bytes(strange ? static_cast<uint32_t>(input_.Number())
                                                    : kChunk);
    hello->mutable_terms()->set_connections(2);
    hello->mutable_state()->set_received(strange ? input_.Number() : 0);
    for (int i = strange ? input_.Byte() % 4 : 0; i > 0; --i) {
      AddCredit(hello->mutable_state()->add_transfers());
    }
    met_ = true;
    Tell(&Last(), control, {});
  }

  void AddCredit(LinkCredit* credit) {
    credit->set_transfer(input_.Number());
    credit->set_received(input_.Number());
    credit->set_held(input_.Byte() % 2 == 1);
  }

  void AddOpen(LinkOpen* open) {
    const uint8_t how = input_.Byte();
    open->set_transfer(how % 8 == 7 ? input_.Number() : ++opened_);
    open->set_name(how % 4 == 3 ? "s" : how % 16 == 2 ? "nobody" : "x");
    open->set_step(input_.Byte() % 4);
    open->set_dtype(how % 4 == 3 ? kString : kFloat);
    const uint64_t count = input_.Number();
    open->add_dims(static_cast<int64_t>(count));
    open->set_size(how >= 128 ? input_.Number() : count * sizeof(float));
    open->set_encoding(static_cast<LinkEncoding>(how / 16 % 4));
    open->set_encoded_size(how % 32 >= 16 ? input_.Number() : open->size());
    open->set_await_consumption(how % 2 == 1);
  }

  void AddChunk(LinkChunk* chunk, std::string* data) {
    const uint8_t how = input_.Byte();
    chunk->set_transfer(how % 8 == 7 ? input_.Number() : opened_);
    chunk->set_offset(input_.Number() * (how % 4 == 3 ? 1 : kChunk));
    const size_t size = how % 4 == 2 ? input_.Byte() : kChunk;
    std::string bytes(size, static_cast<char>(how % 64 < 32 ? 0 : input_.Byte()));
    chunk->set_size(static_cast<uint32_t>(how % 64 == 63 ? input_.Number() : size));
    chunk->set_crc32c(Crc32c(bytes.data(), bytes.size()) + (how == 0xff ? 1 : 0));
    *data += bytes;
  }

  void AddFrame(LinkFrame* frame, std::string* data) {
    switch (input_.Byte() % 14) {
      case 0:
      case 1:
        return AddOpen(frame->mutable_open());
      case 2:
      case 3:
      case 4:
        return AddChunk(frame->mutable_chunk(), data);
      case 5:
        return AddCredit(frame->mutable_credit());
      case 6:
        frame->mutable_abort()->set_transfer(input_.Number());
        return frame->mutable_abort()->set_code(tensorflow::error::ABORTED);
      case 7:
        frame->mutable_done()->set_transfer(input_.Number());
        return frame->mutable_done()->set_code(
            static_cast<tensorflow::error::Code>(input_.Byte() % 20));
      case 8:
        frame->mutable_failed()->set_name("x");
        return frame->mutable_failed()->set_step(input_.Byte() % 4);
      case 9:
        frame->mutable_call()->set_call(input_.Number());
        if (input_.Byte() % 2 == 0) return frame->mutable_call()->set_reader_state("train");
        return frame->mutable_call()->set_checkpoint_version(true);
      case 10:
        return frame->mutable_call_cancel()->set_call(input_.Number());
      case 11:
        frame->mutable_reply()->set_call(input_.Number());
        return frame->mutable_reply()->set_text(input_.Bytes(input_.Byte() % 8));
      case 12:
        if (input_.Byte() % 4 == 0) frame->mutable_goodbye()->set_reason("enough");
        return;
      default:
        if (input_.Byte() % 4 == 0) *frame->mutable_welcome() = LinkWelcome();
    }
  }

  void Say() {
    LinkControl control;
    std::string data;
    for (int i = 1 + input_.Byte() % 6; i > 0; --i) AddFrame(control.add_frames(), &data);
    control.set_received(input_.Number());
    Tell(&Last(), control, data);
  }

  void SayRaw() {
    LinkControl control;
    const std::string bytes = input_.Bytes(input_.Byte());
    if (control.ParseFromString(bytes)) Tell(&Last(), control, input_.Bytes(input_.Byte()));
  }

  void Send() {
    const size_t count = input_.Number() % kMostFloats;
    auto* floats = new std::vector<float>(count);
    OutgoingTensor tensor;
    const size_t size = count * sizeof(float);
    tensor.info = {"x", input_.Byte() % 4, kFloat, {static_cast<int64_t>(count)}, size};
    tensor.payload = {floats->data(), size,
                      [](void* token) { delete static_cast<std::vector<float>*>(token); }, floats};
    peer_->SendTensor(std::move(tensor), Call());
  }

  void Receive() {
    auto place = std::make_shared<std::vector<char>>();
    peer_->ReceiveTensor(
        input_.Byte() % 4 == 0 ? "s" : "x", input_.Byte() % 4,
        [place](const TensorInfo& info) -> void* {
          if (info.size > (size_t{1} << 20)) return nullptr;
          place->resize(info.size);
          return place->data();
        },
        Call());
    places_.push_back(std::move(place));
  }

  void Step(uint8_t step) {
    if (streams_.empty()) {
      Open();
      if (step % 2 == 0) Hello(false);
      if (streams_.empty()) return;  // it wasn't let in
    }
    switch (step % 16) {
      case 4:
        return Send();
      case 5:
        return Receive();
      case 6:
        for (Way& one : streams_) {
          if (one.stream->TakeWritten()) one.events->OnWritten();
        }
        return;
      case 7:
        return End(&streams_.front());
      case 8:
        Open();
        return Hello(input_.Byte() % 2 == 0);
      case 9:
        return SayRaw();
      case 10:
        return peer_->FailGroup(1 + input_.Byte() % 3, "enough");
      case 11:
        return peer_->ReceiveReaderState("train", Call());
      case 12:
        return peer_->SendReaderState("train", "block", 1, Call());
      case 13:
        return peer_->ReceiveCheckpointVersion(Call());
      case 14:
        return peer_->Connect(Call());
      default:
        return Say();
    }
  }

  Input& input_;
  std::shared_ptr<Peer> peer_;
  std::list<Way> streams_;
  std::vector<std::shared_ptr<std::vector<char>>> places_;
  bool met_ = false;
  uint64_t opened_ = 0;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;
};

}  // namespace

void Link(const uint8_t* data, size_t size) {
  Input input(data, size);
  Story(&input).Run();
}

void CloseLinks() { TheServer().reset(); }

}  // namespace efl::fuzz
