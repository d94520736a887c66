// The response parser. Properties:
//   - the same events however the bytes are cut;
//   - an accepted response, written to a client, is accepted there, with the same body, and nothing behind it.
#include "http/hop_by_hop.h"
#include "test/fuzz/http1_fuzzing.h"

namespace sluice::http::http1 {
namespace {

constexpr std::string_view kMethods[] = {"GET", "HEAD", "CONNECT", "POST"};

// Passes the messages of one connection on, as a proxy does. Thread: its owner's.
class Relay final : private ClientEvents {
 public:
  Relay(const CodecOptions& options, std::string_view method)
      : to_head_(method == "HEAD"), writer_(options), out_(memory_.slabs), codec_(options, *this, memory_.slabs) {
    RequestHeaders request(arena_);
    request.method = method;
    request.path = "/";
    request.authority = "a";
    buffer::Buffer sent(memory_.slabs);
    codec_.encode_headers(request, End::kYes, sent);
  }
  void feed(std::string_view wire) {
    buffer::Buffer in(memory_.slabs);
    in.append_borrowed(wire);
    codec_.decode(in);
    codec_.decode_eof();
  }
  bool complete() const { return complete_; }
  const std::string& body() const { return body_; }
  std::string wire() const { return out_.to_string(); }

 private:
  Arena& on_begin(StreamId) override { return arena_; }
  void on_interim(StreamId, ResponseHeaders& headers) override { writer_.write_interim(headers, out_); }
  void on_headers(StreamId, ResponseHeaders& headers, End end) override {
    remove_hop_by_hop(headers);
    ResponseTerms terms;
    terms.to_head = to_head_;
    writer_.start();
    writer_.write_response(headers, end, terms, out_);
    complete_ = end == End::kYes;
  }
  void on_data(StreamId, buffer::Buffer& data, End end) override {
    body_ += data.to_string();
    writer_.write_data(data, end, out_);
    complete_ = end == End::kYes;
  }
  void on_trailers(StreamId, HeaderMap& trailers) override {
    writer_.write_trailers(trailers, out_);
    complete_ = true;
  }
  void on_reset(StreamId, const StreamReset&) override {}
  void on_error(StreamId, const CodecError&) override {}

  const bool to_head_;
  Memory memory_;
  Arena arena_{memory_.chunks};
  MessageWriter writer_;
  buffer::Buffer out_;
  std::string body_;
  bool complete_ = false;
  Http1ClientCodec codec_;
};

void check(const FuzzInput& input) {
  const std::string_view method = kMethods[input.choice & 3];
  check_cuts(input, [&] {
    auto client = std::make_unique<ClientUnderTest>(input.options);
    client->send(method, (input.choice & 4) != 0 && method == "GET" ? "websocket" : "");
    return client;
  });
  if (method == "CONNECT") {
    return;
  }
  Relay first(input.options, method);
  first.feed(input.wire);
  if (!first.complete()) {
    return;
  }
  CodecOptions larger = input.options;
  larger.max_head_bytes *= 4;
  larger.max_fields += 4;
  Relay second(larger, method);
  second.feed(first.wire());
  SLUICE_CHECK(second.complete());
  expect_same("body", first.body(), second.body());
  ClientUnderTest client(larger);
  client.send(method);
  client.feed(first.wire());
  SLUICE_CHECK(client.transcript().ends_with("end\n"));
  SLUICE_CHECK(client.codec().reusable());
}

}  // namespace
}  // namespace sluice::http::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8192) {
    sluice::http::http1::check(sluice::http::http1::read_input(data, size));
  }
  return 0;
}
