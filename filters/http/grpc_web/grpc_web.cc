#include "filters/http/grpc_web/grpc_web.h"

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "filters/http/grpc_web/base64_stream.h"
#include "http/grpc.h"
#include "proxy/exchange.h"
#include "proxy/grpc_counters.h"

namespace sluice::filters::grpc_web {
namespace {

using buffer::Buffer;
using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;

constexpr std::string_view kBinary = "application/grpc-web", kBinaryProto = "application/grpc-web+proto";
constexpr std::string_view kText = "application/grpc-web-text", kTextProto = "application/grpc-web-text+proto";
constexpr std::string_view kBadBase64 = "Bad gRPC-web request, invalid base64 data.";
// How much of an answer that is not gRPC becomes grpc-message.
constexpr size_t kMostMessage = 16 * 1024;
constexpr char kTrailerFlag = '\x80';

bool is_binary(std::string_view type) { return type == kBinary || type == kBinaryProto; }
bool is_text(std::string_view type) { return type == kText || type == kTextProto; }

bool is_web_answer(const http::HeaderMap& fields) {
  const std::string_view type = fields.get(Token::kContentType);
  return is_binary(trim(type.substr(0, type.find(';'))));
}
bool is_grpc_answer(const http::ResponseHeaders& response) {
  return response.status == 200 && http::is_grpc(response.fields);
}

// Lives in the exchange's arena. Thread: its exchange's.
class GrpcWeb final : public proxy::HttpFilter {
 public:
  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End) override {
    http::HeaderMap& fields = request.fields;
    const std::string_view type = fields.get(Token::kContentType);
    text_request_ = is_text(type);
    active_ = text_request_ || is_binary(type);
    if (!active_) return Step::next();
    text_response_ = is_text(fields.get(Token::kAccept));
    if (const auto called = proxy::grpc_method(request.path)) {
      counters_.begin(exchange, request, cat("grpc-web.", called->service, ".", called->method, "."));
    }
    fields.remove(Token::kContentLength);
    fields.set(Token::kContentType, "application/grpc");
    fields.set(Token::kTe, "trailers");
    if (fields.find("grpc-accept-encoding") == nullptr) fields.add("grpc-accept-encoding", "identity");
    return Step::next();
  }

  Step on_request_data(Exchange& exchange, Buffer& data, End end) override {
    if (!text_request_) return Step::next();
    if (!reader_.read(data)) return refuse(exchange, "grpc_base_64_decode_failed");
    if (end == End::kYes) return end_request(exchange);
    return data.empty() ? Step::hold() : Step::next();
  }

  Step on_request_trailers(Exchange& exchange, http::HeaderMap&) override { return end_request(exchange); }

  Step on_response_headers(Exchange&, http::ResponseHeaders& response, End end) override {
    if (!active_) return Step::next();
    count_end(response.fields);
    if (end == End::kNo) {
      if (!is_grpc_answer(response) && !is_web_answer(response.fields)) {
        foreign_ = true;
        return Step::hold();
      }
      response.fields.remove(Token::kContentLength);
    }
    set_type(response.fields);
    return Step::next();
  }

  Step on_response_data(Exchange& exchange, Buffer& data, End end) override {
    if (foreign_) {
      for (; !data.empty(); data.drain(data.front().size()))
        message_ += data.front().substr(0, kMostMessage - message_.size());
      if (end == End::kNo) return Step::hold();
      tell_message(exchange);
      return Step::next();
    }
    if (active_ && text_response_) {
      writer_.write(data);
      if (end == End::kYes) writer_.finish(data);
    }
    return Step::next();
  }

  // They become the last message of the body.
  Step on_response_trailers(Exchange& exchange, http::HeaderMap& trailers) override {
    if (!active_) return Step::next();
    count_end(trailers);
    if (foreign_) {
      tell_message(exchange);
    } else {
      Buffer last(exchange.local().slabs);
      write_trailers(trailers, last);
      if (text_response_) {
        Buffer before(exchange.local().slabs);
        writer_.finish(before);
        writer_.write(last);
        before.move_from(last);
        last = std::move(before);
      }
      exchange.add_body(std::move(last));
    }
    trailers.remove_if([](const http::HeaderField&) { return true; });
    return Step::next();
  }

 private:
  Step end_request(Exchange& exchange) {
    return reader_.complete() ? Step::next() : refuse(exchange, "grpc_base_64_decode_failed_bad_size");
  }

  static Step refuse(Exchange& exchange, std::string_view details) {
    return exchange.reply(
        {.status = 400, .body = kBadBase64, .details = details, .flag = {}, .grpc_status = {}, .location = {}});
  }

  void set_type(http::HeaderMap& fields) const {
    fields.set(Token::kContentType, text_response_ ? kTextProto : kBinaryProto);
  }

  // In place of an answer that no client of gRPC understands.
  void tell_message(Exchange& exchange) {
    http::ResponseHeaders& response = *exchange.response();
    http::HeaderMap& fields = response.fields;
    Arena& arena = exchange.arena();
    set_type(fields);
    if (!message_.empty()) fields.set_copy(Token::kGrpcMessage, proxy::percent_encode(message_, arena));
    fields.set_copy(Token::kGrpcStatus, cat(http::grpc_status_of(response.status)));
    fields.set(Token::kContentLength, "0");
  }

  static void write_trailers(const http::HeaderMap& trailers, Buffer& out) {
    size_t size = 0;
    for (const http::HeaderField& field : trailers) size += field.name().size() + field.value().size() + 3;
    const http::GrpcPrefix prefix = http::grpc_prefix(static_cast<uint32_t>(size));
    out.append_copy({&kTrailerFlag, 1});
    out.append_copy(prefix.view().substr(1));
    for (const http::HeaderField& field : trailers) {
      out.append_copy(field.name());
      out.append_copy(":");
      out.append_copy(field.value());
      out.append_copy("\r\n");
    }
  }

  void count_end(const http::HeaderMap& fields) {
    const std::string_view status = fields.get(Token::kGrpcStatus);
    if (status.data() != nullptr) counters_.count_end(status);
  }

  proxy::GrpcCounters counters_;
  std::string message_;  // of an answer that is not gRPC
  Base64Reader reader_;
  Base64Writer writer_;
  bool active_ = false;
  bool text_request_ = false;
  bool text_response_ = false;
  bool foreign_ = false;  // the answer is not gRPC
};

}  // namespace

proxy::HttpFilter* GrpcWebFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<GrpcWeb>();
}

uint8_t GrpcWebFactory::hooks() const { return proxy::hooks_of<GrpcWeb>(); }

}  // namespace sluice::filters::grpc_web
