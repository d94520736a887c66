// The request parser. Properties:
//   - the same events however the bytes are cut;
//   - an accepted head, written again, is accepted, and says the same;
//   - what is written of one request is one request: the one behind it is found where it begins.
#include "http/hop_by_hop.h"
#include "test/fuzz/http1_fuzzing.h"

namespace sluice::http::http1 {
namespace {

// Writes a request as a client would, with a body of three bytes where it has one.
std::string write(const RequestHeaders& request, End end, const CodecOptions& options, Memory& memory) {
  MessageWriter writer(options);
  buffer::Buffer out(memory.slabs);
  writer.start();
  writer.write_request(request, end, out);
  if (end == End::kNo && request.tunnel == Tunnel::kNone) {
    uint64_t length = 3;
    if (const HeaderField* field = request.fields.find(Token::kContentLength); field != nullptr) {
      SLUICE_CHECK(parse_length(field->value(), length));
    }
    if (length > 100'000) {
      return {};
    }
    buffer::Buffer body(memory.slabs);
    body.append_copy(std::string(length, 'b'));
    writer.write_data(body, End::kYes, out);
    SLUICE_CHECK(writer.intact());
  }
  return out.to_string();
}

// The first request of a wire, and what writing it again gives.
struct Rewritten {
  std::string head;
  std::string wire;
};
Rewritten rewrite(std::string_view wire, const CodecOptions& options) {
  Rewritten result;
  ServerUnderTest server(options, 0);
  server.on_head = [&](RequestHeaders& request) {
    remove_hop_by_hop(request);
    if (request.authority.empty()) {
      return;  // an exchange refuses it
    }
    Transcript head;
    head.line(cat(request.method, " ", request.path, " ", request.authority));
    head.fields(request.fields);
    result.head = head.take();
    const bool body = request.fields.has(Token::kContentLength) ? request.get("content-length") != "0" : false;
    result.wire = write(request, body || request.tunnel != Tunnel::kNone ? End::kNo : End::kYes, options,
                        server.memory());
  };
  server.feed(wire);
  return result;
}

void check(const FuzzInput& input) {
  const std::string transcript =
      check_cuts(input, [&] { return std::make_unique<ServerUnderTest>(input.options, 204); });
  const Rewritten once = rewrite(input.wire, input.options);
  if (once.wire.empty()) {
    return;
  }
  CodecOptions larger = input.options;  // names may have become longer by escapes
  larger.max_head_bytes *= 4;
  larger.max_fields += 4;
  larger.header_case = CodecOptions::Case::kLower;
  const Rewritten twice = rewrite(once.wire, larger);
  const Rewritten thrice = rewrite(twice.wire, larger);
  SLUICE_CHECK(!twice.wire.empty());
  expect_same("written again", twice.head, thrice.head);
  expect_same("written again", twice.wire, thrice.wire);

  ServerUnderTest server(larger, 204);
  server.feed(once.wire + "GET /behind HTTP/1.1\r\nHost: behind\r\n\r\n");
  const std::string seen = server.transcript();
  const bool last = seen.find(" upgrade\n") != std::string::npos || seen.find(" connect\n") != std::string::npos;
  SLUICE_CHECK(last || seen.ends_with("request 2 GET /behind @behind  HTTP/1.1\nend\n"));
}

}  // namespace
}  // namespace sluice::http::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8192) {
    sluice::http::http1::check(sluice::http::http1::read_input(data, size));
  }
  return 0;
}
