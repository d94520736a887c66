#include "test/player/http2_origin.h"

#include <algorithm>
#include <chrono>

#include "base/strings.h"

namespace sluice::player {

using namespace std::chrono_literals;

Task<void> Origin::serve_http2(Wire& w, uint64_t number) {
  // Kept beyond this task: answers may still be at it.
  Http2OriginConnection& connection =
      *http2_.emplace_back(std::make_unique<Http2OriginConnection>(stage_, *this, w, number, spec_["settings"]));
  co_await connection.run();
  if (connection.broken()) {
    const std::shared_ptr<Record> record = begin(w, number, "h2");
    record->facts.set("error", "protocol error");
    record->ended = "cut";
  }
  connection.end();
}

void Http2OriginConnection::end() {
  for (auto& [id, stream] : streams_) {
    stream.reset = true;
    if (stream.record->ended.empty()) {
      stream.record->ended = wire_.ended;
    }
  }
}

void Http2OriginConnection::on_headers(int32_t id, Pairs headers) {
  if (const auto known = streams_.find(id); known != streams_.end()) {
    known->second.record->facts.set("trailers", pairs(headers));
    return;
  }
  Stream& stream = streams_[id];
  stream.id = id;
  stream.method = find_header(headers, ":method");
  const std::string path(find_header(headers, ":path"));
  stream.record = origin_.begin(wire_, number_, "h2");
  if (has_header(headers, ":method")) {
    stream.record->facts.set("method", text(stream.method));
  }
  if (has_header(headers, ":path")) {
    stream.record->facts.set("target", text(path));
  }
  stream.rule = origin_.rule_for(stream.method, path, headers);
  std::erase_if(headers, [](const auto& h) { return h.first == ":method" || h.first == ":path"; });
  stream.record->facts.set("headers", pairs(headers));
  stream.record->facts.set("body", "");
  if (stream.rule["early"].truthy()) {
    begin_answer(stream);
  }
}

void Http2OriginConnection::on_data(int32_t id, std::string_view data) {
  if (const auto known = streams_.find(id); known != streams_.end()) {
    known->second.raw += data;
    known->second.record->facts.set("body", bytes(known->second.raw));
    consume(id, data.size());
  }
}

void Http2OriginConnection::on_stream_ended(int32_t id) {
  if (const auto known = streams_.find(id); known != streams_.end() && !known->second.answering) {
    begin_answer(known->second);
  }
}

void Http2OriginConnection::on_reset(int32_t id, uint32_t code) {
  if (const auto known = streams_.find(id); known != streams_.end()) {
    known->second.reset = true;
    if (known->second.record->ended.empty()) {
      known->second.record->ended = cat("reset:", http2_code_name(code));
    }
  }
}

void Http2OriginConnection::begin_answer(Stream& stream) {
  stream.answering = true;
  stage_.spawn(answer(stream));
}

void Http2OriginConnection::cut(Stream& stream) {
  const Spec cut = stream.rule["cut"];
  const std::string how = cut["how"].text("reset");
  stream.record->ended = "cut";
  if (how == "goaway") {
    send_goaway(http2_code(cut["code"].text("NO_ERROR")));
    wire_.close();
  } else if (how == "close") {
    wire_.close();
  } else {
    send_reset(stream.id, http2_code(cut["code"].text("INTERNAL_ERROR")));
  }
}

// Sleeps, but for a stream that is over meanwhile.
Until Http2OriginConnection::pause(Stream& stream, Duration time) {
  return stage_.until([this, &stream] { return over(stream); }, time);
}

Task<void> Http2OriginConnection::answer(Stream& stream) {
  const Spec rule = stream.rule;
  Record& record = *stream.record;
  co_await stage_.sleep(1ms);  // what comes with the request, a reset perhaps, comes first
  if (rule["delay_ms"].truthy()) {
    (void)co_await pause(stream, rule["delay_ms"].ms());
  }
  if (over(stream)) {
    record.ended = record.ended.empty() ? wire_.ended : record.ended;
    co_return;
  }
  const Spec cut_at = rule["cut"];
  if (cut_at["at"].says("start")) {
    cut(stream);
    co_return;
  }
  for (const Spec& one : rule["interim"].list()) {
    Pairs fields = one["headers"].pairs();
    fields.insert(fields.begin(), {":status", one["status"].text()});
    send_headers(stream.id, fields, Last::kNo);
  }
  Origin::Reply reply = origin_.reply(rule, stream.raw);
  const Pairs trailers = rule["trailers"].pairs();
  const bool length = !rule.has("content_length") || rule["content_length"].truthy();
  if (length && trailers.empty() && !rule["chunked"].truthy() && !has_header(reply.headers, "content-length")) {
    reply.headers.emplace_back("content-length", cat(reply.body.size()));
  }
  if (stream.method == "HEAD" || reply.status == 204 || reply.status == 304) {
    reply.body.clear();
  }
  reply.headers.insert(reply.headers.begin(), {":status", cat(reply.status)});
  const bool only_headers = reply.body.empty() && trailers.empty() && !cut_at.truthy();
  send_headers(stream.id, reply.headers, only_headers ? Last::kYes : Last::kNo);
  if (cut_at["at"].says("headers")) {
    co_await stage_.sleep(20ms);
    cut(stream);
    co_return;
  }
  if (rule["body_delay_ms"].truthy()) {
    (void)co_await pause(stream, rule["body_delay_ms"].ms());
    if (over(stream)) {
      record.ended = record.ended.empty() ? wire_.ended : record.ended;
      co_return;
    }
  }
  if (cut_at.truthy()) {
    reply.body.resize(std::min(reply.body.size(), cut_at["at"].size()));
  }
  if (!reply.body.empty()) {
    send_body(stream.id, std::move(reply.body), trailers.empty() && !cut_at.truthy() ? Last::kYes : Last::kNo);
    (void)co_await stage_.until([this, &stream] { return body_sent(stream.id) || over(stream); }, 10s);
    if (!body_sent(stream.id)) {
      record.ended = record.ended.empty() ? wire_.why() : record.ended;
      co_return;
    }
  }
  if (cut_at.truthy()) {
    co_await stage_.sleep(20ms);
    cut(stream);
    co_return;
  }
  if (!trailers.empty()) {
    send_headers(stream.id, trailers, Last::kYes);
  }
  record.ended = "complete";
  if (rule["goaway"].truthy()) {
    send_goaway(http2_code("NO_ERROR"));
  }
}

}  // namespace sluice::player
