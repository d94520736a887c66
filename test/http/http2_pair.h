// A client and a server of HTTP/2 that talk with each other in memory, and write down what they were told.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/http2/client_codec.h"
#include "http/http2/server_codec.h"
#include "stats/registry.h"
#include "test/http/http1_transcript.h"

namespace sluice::http::http2 {

using http1::Memory;
using http1::Transcript;

// The cells of one block of stats. Thread: its owner's.
class Counters {
 public:
  Session::Stats block() { return Session::Stats(cells_ + 8); }
  uint64_t get(stats::Http2Stat stat) { return block().get(stat); }

 private:
  stats::Cell cells_[8 + static_cast<size_t>(stats::Http2Stat::kCount)] = {};
};

// Of one end.
struct PairSettings {
  CodecOptions options;
  Http2Options http2;
  size_t stream_limit = 64 * 1024;
};

// Thread: its owner's.
class Server final : private Http2ServerEvents {
 public:
  explicit Server(PairSettings settings = {})
      : settings_(std::move(settings)),
        out_(memory_.slabs),
        codec_(settings_.options, settings_.http2, settings_.stream_limit, counters_.block(), *this, memory_.slabs) {}

  Decoded feed(std::string_view bytes) {
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    buffer::Buffer in(memory_.slabs);
    in.append_borrowed({copy.get(), bytes.size()});
    const Decoded decoded = codec_.decode(in);
    SLUICE_CHECK(in.empty());
    const Decoded flushed = codec_.flush(out_);
    return decoded == Decoded::kFailed ? decoded : flushed;
  }
  std::string output() {
    (void)codec_.flush(out_);
    std::string text = out_.to_string();
    out_.clear();
    codec_.sent(0);
    return text;
  }
  std::string transcript() { return transcript_.take(); }
  Http2ServerCodec& codec() { return codec_; }
  Counters& counters() { return counters_; }
  Memory& memory() { return memory_; }
  buffer::Buffer& out() { return out_; }

  void answer(StreamId stream, uint16_t status, std::string_view body, End end = End::kYes) {
    ResponseHeaders headers(arena_);
    headers.status = status;
    codec_.encode_headers(stream, headers, body.empty() ? end : End::kNo, out_);
    if (!body.empty()) send(stream, body, end);
  }
  void send(StreamId stream, std::string_view body, End end) {
    buffer::Buffer data(memory_.slabs);
    data.append_copy(body);
    codec_.encode_data(stream, data, end, out_);
  }
  void trailers(StreamId stream, std::string_view name, std::string_view value) {
    HeaderMap fields(arena_);
    fields.add_copy(name, value);
    codec_.encode_trailers(stream, fields, out_);
  }
  // Answers each complete request with this, when it is not 0.
  uint16_t status = 0;

 private:
  Arena& on_begin(StreamId) override { return arena_; }
  void on_headers(StreamId stream, RequestHeaders& headers, End end) override {
    transcript_.line(cat(stream, " ", headers.method, " ", headers.scheme, "://", headers.authority, headers.path));
    transcript_.fields(headers.fields);
    ended(stream, end);
  }
  void on_data(StreamId stream, buffer::Buffer& data, End end) override {
    transcript_.body(data.to_string());
    ended(stream, end);
  }
  void on_trailers(StreamId stream, HeaderMap& trailers) override {
    transcript_.line("trailers");
    transcript_.fields(trailers);
    ended(stream, End::kYes);
  }
  void on_reset(StreamId stream, const StreamReset& reset) override {
    transcript_.line(cat(stream, " reset by ", static_cast<int>(reset.by), " ", reset.details));
  }
  void on_error(StreamId, const CodecError& error) override { transcript_.line(cat("error ", error.details)); }
  void on_stream_full(StreamId stream, bool full) override {
    transcript_.line(cat(stream, full ? " full" : " has room"));
  }
  void on_ping_ack() override { transcript_.line("ping ack"); }
  void ended(StreamId stream, End end) {
    transcript_.end(end);
    if (end == End::kYes && status != 0) answer(stream, status, "");
  }

  PairSettings settings_;
  Memory memory_;
  Arena arena_{memory_.chunks};
  Counters counters_;
  Transcript transcript_;
  buffer::Buffer out_;
  Http2ServerCodec codec_;
};

// Thread: its owner's.
class Client final : private Http2ClientEvents {
 public:
  explicit Client(PairSettings settings = {})
      : settings_(std::move(settings)),
        out_(memory_.slabs),
        codec_(settings_.options, settings_.http2, settings_.stream_limit, counters_.block(), *this, memory_.slabs) {}

  Decoded feed(std::string_view bytes) {
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    buffer::Buffer in(memory_.slabs);
    in.append_borrowed({copy.get(), bytes.size()});
    const Decoded decoded = codec_.decode(in);
    const Decoded flushed = codec_.flush(out_);
    return decoded == Decoded::kFailed ? decoded : flushed;
  }
  std::string output() {
    (void)codec_.flush(out_);
    std::string text = out_.to_string();
    out_.clear();
    codec_.sent(0);
    return text;
  }
  std::string transcript() { return transcript_.take(); }
  Http2ClientCodec& codec() { return codec_; }
  Counters& counters() { return counters_; }
  Memory& memory() { return memory_; }
  buffer::Buffer& out() { return out_; }

  StreamId ask(std::string_view method, std::string_view path, End end = End::kYes,
               std::vector<std::pair<std::string_view, std::string_view>> fields = {}) {
    RequestHeaders headers(arena_);
    headers.method = method;
    headers.path = path;
    headers.authority = "a";
    headers.scheme = "http";
    for (const auto& [name, value] : fields) headers.fields.add_copy(name, value);
    return codec_.encode_headers(headers, end, out_);
  }
  void send(StreamId stream, std::string_view body, End end) {
    buffer::Buffer data(memory_.slabs);
    data.append_copy(body);
    codec_.encode_data(stream, data, end, out_);
  }

 private:
  Arena& on_begin(StreamId) override { return arena_; }
  void on_interim(StreamId stream, ResponseHeaders& headers) override {
    transcript_.line(cat(stream, " interim ", headers.status));
  }
  void on_headers(StreamId stream, ResponseHeaders& headers, End end) override {
    transcript_.line(cat(stream, " status ", headers.status));
    transcript_.fields(headers.fields);
    ended(stream, end);
  }
  void on_data(StreamId stream, buffer::Buffer& data, End end) override {
    transcript_.body(data.to_string());
    ended(stream, end);
  }
  void on_trailers(StreamId stream, HeaderMap& trailers) override {
    transcript_.line("trailers");
    transcript_.fields(trailers);
    ended(stream, End::kYes);
  }
  // As a connection does: what is complete is of no interest any more.
  void ended(StreamId stream, End end) {
    transcript_.end(end);
    if (end == End::kYes) codec_.reset(stream, out_);
  }
  void on_reset(StreamId stream, const StreamReset& reset) override {
    transcript_.line(cat(stream, " reset by ", static_cast<int>(reset.by), " ", reset.details));
  }
  void on_error(StreamId, const CodecError& error) override { transcript_.line(cat("error ", error.details)); }
  void on_stream_full(StreamId stream, bool full) override {
    transcript_.line(cat(stream, full ? " full" : " has room"));
  }
  void on_goaway() override { transcript_.line("goaway"); }
  void on_settings() override {}
  void on_ping_ack() override { transcript_.line("ping ack"); }

  PairSettings settings_;
  Memory memory_;
  Arena arena_{memory_.chunks};
  Counters counters_;
  Transcript transcript_;
  buffer::Buffer out_;
  Http2ClientCodec codec_;
};

// Carries bytes both ways until nobody has anything to say.
inline void talk(Client& client, Server& server) {
  for (int round = 0; round < 1000; ++round) {
    const std::string up = client.output();
    if (!up.empty()) server.feed(up);
    const std::string down = server.output();
    if (!down.empty()) client.feed(down);
    if (up.empty() && down.empty()) return;
  }
}

}  // namespace sluice::http::http2
