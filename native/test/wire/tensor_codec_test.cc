// The hand-written codec against protobuf itself.
#include "wire/trainer/tensor_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "efl/trainer_service.pb.h"
#include "fuzz/byte_buffer.h"
#include "wire/messages.h"

namespace efl {
namespace {

using fuzz::Flat;
using fuzz::InPieces;

MessageRequest Proto(const TensorInfo& info, const std::string& content) {
  MessageRequest request;
  request.set_name(info.name);
  request.set_step(static_cast<uint64_t>(info.step));
  request.mutable_tensor()->set_dtype(info.dtype);
  auto* shape = request.mutable_tensor()->mutable_tensor_shape();
  for (int64_t dim : info.dims) shape->add_dim()->set_size(dim);
  request.mutable_tensor()->set_tensor_content(content);
  return request;
}

std::string ContentOf(grpc::ByteBuffer* bytes, const DecodedTensor& tensor) {
  std::string content(tensor.info.size, '\0');
  EXPECT_TRUE(CopyContent(bytes, tensor, content.data()).ok());
  return content;
}

struct Case {
  TensorInfo info;
  std::string content;
};

const Case kCases[] = {
    {{"fc1", 3, kFloat, {2, 3}, 24}, std::string(24, 'q')},
    {{"scalar", 0, kInt64, {}, 8}, std::string("12345678")},
    {{"empty", 1, kDouble, {0, 5}, 0}, ""},
    {{"strings", 1 << 20, kString, {2}, 5},
     std::string("\x01\x02"
                 "abb",
                 5)},
    {{"large", 5, kUint8, {200'000}, 200'000}, std::string(200'000, 'z')},
};

TEST(TensorCodecTest, ShouldWriteWhatProtobufWrites) {
  for (const Case& one : kCases) {
    OutgoingTensor tensor;
    tensor.info = one.info;
    tensor.payload = {one.content.data(), one.content.size(), nullptr, nullptr};
    EXPECT_TRUE(Flat(EncodeMessageRequest(std::move(tensor))) ==
                Proto(one.info, one.content).SerializeAsString())
        << one.info.name;
  }
}

TEST(TensorCodecTest, ShouldSendFromTheCallersMemory) {
  const std::string content(1 << 20, 'a');
  bool released = false;
  {
    OutgoingTensor tensor;
    tensor.info = {"x", 0, kUint8, {1 << 20}, content.size()};
    tensor.payload = {content.data(), content.size(),
                      [](void* flag) { *static_cast<bool*>(flag) = true; }, &released};
    const grpc::ByteBuffer bytes = EncodeMessageRequest(std::move(tensor));
    std::vector<grpc::Slice> slices;
    ASSERT_TRUE(bytes.Dump(&slices).ok());
    ASSERT_EQ(slices.size(), 2U);
    EXPECT_EQ(static_cast<const void*>(slices[1].begin()), content.data());
    EXPECT_FALSE(released);
  }
  EXPECT_TRUE(released);
}

TEST(TensorCodecTest, ShouldReadWhatProtobufWritesInWhateverPieces) {
  for (const Case& one : kCases) {
    const std::string flat = Proto(one.info, one.content).SerializeAsString();
    for (size_t piece : {size_t{1}, size_t{7}, size_t{8192}, flat.size()}) {
      if (piece == 1 && flat.size() > 10'000) continue;
      grpc::ByteBuffer bytes = InPieces(flat, piece);
      DecodedTensor tensor;
      ASSERT_EQ(DecodeMessageRequest(&bytes, &tensor).Text(), "OK") << one.info.name;
      EXPECT_EQ(tensor.info.name, one.info.name);
      EXPECT_EQ(tensor.info.step, one.info.step);
      EXPECT_EQ(tensor.info.dtype, one.info.dtype);
      EXPECT_EQ(tensor.info.dims, one.info.dims);
      EXPECT_TRUE(ContentOf(&bytes, tensor) == one.content);
    }
  }
}

template <typename Out>
void ExpectTyped(const MessageRequest& request, const std::vector<Out>& expected) {
  grpc::ByteBuffer bytes = Encode(request);
  DecodedTensor tensor;
  ASSERT_EQ(DecodeMessageRequest(&bytes, &tensor).Text(), "OK");
  const std::string content = ContentOf(&bytes, tensor);
  ASSERT_EQ(content.size(), expected.size() * sizeof(Out));
  EXPECT_EQ(std::memcmp(content.data(), expected.data(), content.size()), 0);
}

MessageRequest Typed(int32_t dtype, int64_t count) {
  MessageRequest request = Proto({"x", 0, dtype, {count}, 0}, "");
  return request;
}

TEST(TensorCodecTest, ShouldReadTheTypedFields) {
  MessageRequest request = Typed(kFloat, 3);
  for (float value : {1.0F, 2.0F, 3.0F}) request.mutable_tensor()->add_float_val(value);
  ExpectTyped<float>(request, {1, 2, 3});
  request = Typed(kDouble, 2);
  for (double value : {1.5, 2.5}) request.mutable_tensor()->add_double_val(value);
  ExpectTyped<double>(request, {1.5, 2.5});
  request = Typed(kInt64, 1);
  request.mutable_tensor()->add_int64_val(-7);
  ExpectTyped<int64_t>(request, {-7});
  request = Typed(kInt32, 1);
  request.mutable_tensor()->add_int_val(-7);
  ExpectTyped<int32_t>(request, {-7});
  request = Typed(kInt16, 1);
  request.mutable_tensor()->add_int_val(-7);
  ExpectTyped<int16_t>(request, {-7});
  request = Typed(kUint8, 1);
  request.mutable_tensor()->add_int_val(250);
  ExpectTyped<uint8_t>(request, {250});
  request = Typed(kBool, 2);
  request.mutable_tensor()->add_bool_val(true);
  request.mutable_tensor()->add_bool_val(false);
  ExpectTyped<uint8_t>(request, {1, 0});
  request = Typed(kHalf, 1);
  request.mutable_tensor()->add_half_val(0x3c00);
  ExpectTyped<uint16_t>(request, {0x3c00});
  request = Typed(kUint32, 1);
  request.mutable_tensor()->add_uint32_val(4'000'000'000U);
  ExpectTyped<uint32_t>(request, {4'000'000'000U});
  request = Typed(kUint64, 1);
  request.mutable_tensor()->add_uint64_val(1ULL << 63);
  ExpectTyped<uint64_t>(request, {1ULL << 63});
  request = Typed(kComplex64, 1);
  request.mutable_tensor()->add_scomplex_val(1);
  request.mutable_tensor()->add_scomplex_val(2);
  ExpectTyped<float>(request, {1, 2});
}

TEST(TensorCodecTest, ShouldReadShortTypedFieldsAsTensorFlowDoes) {
  MessageRequest request = Typed(kFloat, 4);
  request.mutable_tensor()->add_float_val(1);
  request.mutable_tensor()->add_float_val(2);
  ExpectTyped<float>(request, {1, 2, 2, 2});
  ExpectTyped<float>(Typed(kFloat, 3), {0, 0, 0});
  request = Typed(kString, 2);
  request.mutable_tensor()->add_string_val("ab");
  grpc::ByteBuffer bytes = Encode(request);
  DecodedTensor tensor;
  ASSERT_EQ(DecodeMessageRequest(&bytes, &tensor).Text(), "OK");
  EXPECT_EQ(ContentOf(&bytes, tensor),
            "\x02\x02"
            "abab");
}

TEST(TensorCodecTest, ShouldNotLetAFewBytesStandForAllMemory) {
  MessageRequest request = Typed(kFloat, int64_t{1} << 40);
  request.mutable_tensor()->add_float_val(1);
  grpc::ByteBuffer bytes = Encode(request);
  DecodedTensor tensor;
  EXPECT_EQ(DecodeMessageRequest(&bytes, &tensor).code(), Code::kUnknown);
  request = Typed(kComplex64, int64_t{1} << 62);
  bytes = Encode(request);
  EXPECT_EQ(DecodeMessageRequest(&bytes, &tensor).code(), Code::kUnknown);
  request = Typed(kString, int64_t{1} << 61);
  bytes = Encode(request);
  EXPECT_EQ(DecodeMessageRequest(&bytes, &tensor).code(), Code::kUnknown);
}

TEST(TensorCodecTest, ShouldMergeRepeatedFieldsAsProtobufDoes) {
  const std::string twice = Proto({"x", 2, kUint8, {3}, 3}, "abc").SerializeAsString() +
                            Proto({"x", 2, kUint8, {}, 3}, "def").SerializeAsString();
  MessageRequest merged;
  ASSERT_TRUE(merged.ParseFromString(twice));
  grpc::ByteBuffer bytes = InPieces(twice, 5);
  DecodedTensor tensor;
  ASSERT_EQ(DecodeMessageRequest(&bytes, &tensor).Text(), "OK");
  EXPECT_EQ(ContentOf(&bytes, tensor), merged.tensor().tensor_content());
}

TEST(TensorCodecTest, ShouldRefuseContentThatIsNoTensor) {
  const Case wrong[] = {
      {{"x", 1, kFloat, {2}, 7}, std::string(7, 'a')},
      {{"x", 1, kFloat, {-2}, 8}, std::string(8, 'a')},
      {{"x", 1, 99, {2}, 8}, std::string(8, 'a')},
      {{"x", 1, 0, {2}, 8}, std::string(8, 'a')},
      {{"x", 1, kString, {2}, 4},
       std::string("\x01\x09"
                   "ab")},
  };
  for (const Case& one : wrong) {
    grpc::ByteBuffer bytes = Encode(Proto(one.info, one.content));
    DecodedTensor tensor;
    EXPECT_EQ(DecodeMessageRequest(&bytes, &tensor).code(), Code::kUnknown);
    EXPECT_EQ(tensor.info.name, "x");
    EXPECT_EQ(tensor.info.step, 1);
  }
}

}  // namespace
}  // namespace efl
