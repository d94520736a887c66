// Transcripts: what a codec told its connection, as text, so that tests compare texts. Body pieces are joined: a
// transcript does not show how the bytes were cut.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "http/http1/client_codec.h"
#include "http/http1/server_codec.h"

namespace sluice::http::http1 {

// The memory that a codec and its messages need. Thread: its owner's.
struct Memory {
  Owner owner{"test"};
  buffer::SlabPool slabs{owner};
  ChunkPool chunks{owner};
};

// Collects lines. Thread: its owner's.
class Transcript {
 public:
  void line(std::string_view text) {
    close_body();
    text_.append(text).push_back('\n');
  }
  void fields(const HeaderMap& fields) {
    for (const HeaderField& field : fields) {
      line(cat("  ", field.name(), ": ", field.value()));
    }
  }
  void body(std::string_view bytes) {
    in_body_ = true;
    body_.append(bytes);
  }
  void end(End end) {
    if (end == End::kYes) {
      line("end");
    }
  }
  std::string take() {
    close_body();
    return std::exchange(text_, {});
  }

 private:
  void close_body() {
    if (std::exchange(in_body_, false) && !body_.empty()) {
      text_ += cat("body ", std::exchange(body_, {}), "\n");
    }
  }
  std::string text_;
  std::string body_;
  bool in_body_ = false;
};

// A server connection whose requests are answered at their end, if `status` is not 0. Thread: its owner's.
class ServerUnderTest final : private ServerEvents {
 public:
  explicit ServerUnderTest(const CodecOptions& options, uint16_t status = 204)
      : options_(options),
        status_(status),
        in_(memory_.slabs),
        out_(memory_.slabs),
        codec_(options_, *this, memory_.slabs) {}

  // Decodes as a connection does. The bytes are gone when it returns.
  Decoded feed(std::string_view bytes) {
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    in_.append_borrowed({copy.get(), bytes.size()});
    Decoded result = Decoded::kMore;
    do {
      result = codec_.decode(in_);
    } while (result == Decoded::kBlocked && codec_.ready() && !in_.empty());
    in_.own();
    return result;
  }
  std::string transcript() { return transcript_.take(); }
  std::string output() {
    std::string text = out_.to_string();
    out_.clear();
    return text;
  }

  Http1ServerCodec& codec() { return codec_; }
  buffer::Buffer& out() { return out_; }
  buffer::Buffer& in() { return in_; }
  StreamId stream() const { return stream_; }
  Memory& memory() { return memory_; }
  Arena& arena() { return *arenas_.back(); }
  RequestHeaders* request() { return request_; }

  // Called at the end of each request, in place of the answer with `status`.
  std::function<void()> on_end;
  // Called with each head.
  std::function<void(RequestHeaders&)> on_head;

 private:
  Arena& on_begin(StreamId stream) override {
    stream_ = stream;
    arenas_.push_back(std::make_unique<Arena>(memory_.chunks));
    return *arenas_.back();
  }
  void on_headers(StreamId stream, RequestHeaders& headers, End end) override {
    request_ = &headers;
    transcript_.line(cat("request ", stream, " ", headers.method, " ", headers.path, " @", headers.authority, " ",
                         headers.scheme, " ", name_of(headers.protocol),
                         headers.tunnel == Tunnel::kNone      ? ""
                         : headers.tunnel == Tunnel::kUpgrade ? " upgrade"
                                                              : " connect"));
    transcript_.fields(headers.fields);
    if (on_head) {
      on_head(headers);
    }
    finish(end);
  }
  void on_data(StreamId, buffer::Buffer& data, End end) override {
    transcript_.body(data.to_string());
    finish(end);
  }
  void on_trailers(StreamId, HeaderMap& trailers) override {
    transcript_.line("trailers");
    transcript_.fields(trailers);
    finish(End::kYes);
  }
  void on_reset(StreamId, const StreamReset&) override { transcript_.line("reset"); }
  void on_error(StreamId stream, const CodecError& error) override {
    transcript_.line(cat("error ", stream, " ", error.status, " ", error.details));
  }
  void finish(End end) {
    transcript_.end(end);
    if (end == End::kNo) {
      return;
    }
    if (on_end) {
      on_end();
    } else if (status_ != 0) {
      ResponseHeaders answer(*arenas_.back());
      answer.status = status_;
      codec_.encode_headers(stream_, answer, End::kYes, out_);
    }
  }

  const CodecOptions options_;
  const uint16_t status_;
  Memory memory_;
  std::vector<std::unique_ptr<Arena>> arenas_;
  Transcript transcript_;
  buffer::Buffer in_;
  buffer::Buffer out_;
  RequestHeaders* request_ = nullptr;
  StreamId stream_ = 0;
  Http1ServerCodec codec_;
};

// A client connection, which keeps reason phrases. Thread: its owner's.
class ClientUnderTest final : private ClientEvents {
 public:
  explicit ClientUnderTest(const CodecOptions& options)
      : options_(with_reasons(options)),
        in_(memory_.slabs),
        out_(memory_.slabs),
        codec_(options_, *this, memory_.slabs) {}

  static CodecOptions with_reasons(CodecOptions options) {
    options.forward_reason_phrase = true;
    return options;
  }

  // Sends the head of a request.
  StreamId send(std::string_view method, std::string_view upgrade = {}) {
    arenas_.push_back(std::make_unique<Arena>(memory_.chunks));
    RequestHeaders request(*arenas_.back());
    request.method = method;
    request.path = "/";
    request.authority = "a.test:80";
    request.tunnel = method == "CONNECT" ? Tunnel::kConnect : Tunnel::kNone;
    if (!upgrade.empty()) {
      request.tunnel = Tunnel::kUpgrade;
      request.fields.add(Token::kConnection, "Upgrade");
      request.fields.add(Token::kUpgrade, upgrade);
    }
    return codec_.encode_headers(request, request.tunnel == Tunnel::kNone ? End::kYes : End::kNo, out_);
  }
  Decoded feed(std::string_view bytes) {
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    in_.append_borrowed({copy.get(), bytes.size()});
    const Decoded result = codec_.decode(in_);
    in_.own();
    return result;
  }
  std::string transcript() { return transcript_.take(); }
  std::string output() {
    std::string text = out_.to_string();
    out_.clear();
    return text;
  }
  Http1ClientCodec& codec() { return codec_; }
  buffer::Buffer& out() { return out_; }
  Memory& memory() { return memory_; }
  ResponseHeaders* response() { return response_; }

 private:
  Arena& on_begin(StreamId) override {
    arenas_.push_back(std::make_unique<Arena>(memory_.chunks));
    return *arenas_.back();
  }
  void head(std::string_view what, StreamId stream, const ResponseHeaders& headers) {
    transcript_.line(cat(what, " ", stream, " ", headers.status, " ", headers.reason, " ", name_of(headers.protocol),
                         headers.chunked ? " chunked" : ""));
    transcript_.fields(headers.fields);
  }
  void on_interim(StreamId stream, ResponseHeaders& headers) override { head("interim", stream, headers); }
  void on_headers(StreamId stream, ResponseHeaders& headers, End end) override {
    response_ = &headers;
    head("response", stream, headers);
    finish(end);
  }
  void on_data(StreamId, buffer::Buffer& data, End end) override {
    transcript_.body(data.to_string());
    finish(end);
  }
  void on_trailers(StreamId, HeaderMap& trailers) override {
    transcript_.line("trailers");
    transcript_.fields(trailers);
    finish(End::kYes);
  }
  void on_reset(StreamId, const StreamReset&) override { transcript_.line("reset"); }
  void on_error(StreamId stream, const CodecError& error) override {
    transcript_.line(cat("error ", stream, " ", error.status, " ", error.details));
  }
  void finish(End end) { transcript_.end(end); }

  const CodecOptions options_;
  Memory memory_;
  std::vector<std::unique_ptr<Arena>> arenas_;
  Transcript transcript_;
  buffer::Buffer in_;
  buffer::Buffer out_;
  ResponseHeaders* response_ = nullptr;
  Http1ClientCodec codec_;
};

}  // namespace sluice::http::http1
