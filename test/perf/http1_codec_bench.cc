// One exchange through both HTTP/1 codecs: the request parsed and written to the origin, the response parsed and
// written to the client. Budget of the data path: 300 ns together for the benchmark's request and its 512 byte
// response, on a release build.
//
//   build/release/test/perf/http1_codec_bench --benchmark_min_time=1
#include <benchmark/benchmark.h>

#include <string>

#include "http/http1/client_codec.h"
#include "http/http1/server_codec.h"

namespace sluice::http::http1 {
namespace {

// As wrk sends it.
const std::string kRequest = "GET /bench?size=512 HTTP/1.1\r\nHost: bench.local\r\n\r\n";
// As a browser does.
const std::string kBrowserRequest =
    "GET /static/app/main.6f3c2d.js?v=20261122 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"140\", \"Not.A/Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\nAccept: */*\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n"
    "Sec-Fetch-Dest: script\r\nReferer: https://www.example.com/app/\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";
// As the benchmark's origin answers.
const std::string kResponseHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
    "Cache-Control: no-store\r\nX-Backend: 0\r\nContent-Length: ";

// Two codecs, back to back. Thread: its owner's.
class Loop final : private ServerEvents, private ClientEvents {
 public:
  Loop() : server_(options_, *this, slabs_), client_(options_, *this, slabs_) {}

  void request(const std::string& wire) {
    buffer::Buffer in(slabs_);
    in.append_borrowed(wire);
    server_.decode(in);
    benchmark::DoNotOptimize(to_origin_.front().data());
    to_origin_.clear();
  }
  void response(const std::string& wire) {
    buffer::Buffer in(slabs_);
    in.append_borrowed(wire);
    client_.decode(in);
    benchmark::DoNotOptimize(to_client_.front().data());
    to_client_.clear();
    arena_.clear();
  }
  bool intact() const { return server_.ready() && client_.reusable(); }

 private:
  Arena& on_begin(StreamId stream) override {
    stream_ = stream;
    return arena_;
  }
  void on_headers(StreamId, RequestHeaders& headers, End end) override {
    headers.fields.remove(Token::kConnection);
    client_.encode_headers(headers, end, to_origin_);
  }
  void on_headers(StreamId, ResponseHeaders& headers, End end) override {
    server_.encode_headers(stream_, headers, end, to_client_);
  }
  void on_data(StreamId, buffer::Buffer& data, End end) override {
    server_.encode_data(stream_, data, end, to_client_);
  }
  void on_interim(StreamId, ResponseHeaders&) override {}
  void on_trailers(StreamId, HeaderMap&) override {}
  void on_reset(StreamId, const StreamReset&) override {}
  void on_error(StreamId, const CodecError&) override {}

  Owner owner_{"bench"};
  buffer::SlabPool slabs_{owner_};
  ChunkPool chunks_{owner_};
  Arena arena_{chunks_};
  CodecOptions options_;
  buffer::Buffer to_origin_{slabs_};
  buffer::Buffer to_client_{slabs_};
  StreamId stream_ = 0;
  Http1ServerCodec server_;
  Http1ClientCodec client_;
};

void exchange(benchmark::State& state, const std::string& request, size_t body) {
  Loop loop;
  const std::string response = kResponseHead + std::to_string(body) + "\r\n\r\n" + std::string(body, 'a');
  for (auto _ : state) {
    loop.request(request);
    loop.response(response);
  }
  if (!loop.intact()) {
    state.SkipWithError("an exchange failed");
  }
}

BENCHMARK_CAPTURE(exchange, wrk_512, kRequest, 512);
BENCHMARK_CAPTURE(exchange, browser_512, kBrowserRequest, 512);
BENCHMARK_CAPTURE(exchange, wrk_100k, kRequest, 102'400);

}  // namespace
}  // namespace sluice::http::http1
