#include "test/player/http2_client.h"

#include <algorithm>
#include <chrono>

#include "base/strings.h"

namespace sluice::player {

namespace {

using namespace std::chrono_literals;

// Takes :status out of a response's fields.
int take_status(Pairs& headers) {
  const auto at = std::find_if(headers.begin(), headers.end(), [](const auto& h) { return h.first == ":status"; });
  if (at == headers.end()) {
    return 0;
  }
  const int status = parse_number<int>(at->second).value_or(0);
  headers.erase(at);
  return status;
}

}  // namespace

Http2Client::Http2Client(Stage& stage, std::shared_ptr<Wire> wire, Spec spec, std::string scheme)
    : Client(wire), Http2Peer(*wire, Side::kClient, spec["settings"]), stage_(stage), scheme_(std::move(scheme)) {
  stage_.spawn(run());
}

Task<Value::Map> Http2Client::request(Spec spec) {
  std::deque<Request> requests;
  Value::Map out;
  if (spec.has("streams")) {
    for (const Spec& part : spec["streams"].list()) {
      requests.emplace_back();
      stage_.spawn(one(part, requests.back()));
      co_await stage_.sleep(spec["stagger_ms"].ms());
    }
    Value::List streams;
    for (Request& request : requests) {
      co_await stage_.until([&request] { return request.done; });
      streams.emplace_back(std::move(request.result));
    }
    out.set("streams", std::move(streams));
  } else {
    requests.emplace_back();
    co_await one(spec, requests.back());
    out = std::move(requests.back().result);
  }
  co_await stage_.sleep(1ms);  // for what was sent together with the last answer
  if (spec["record_settings"].truthy()) {
    out.set("settings", peer_settings_);
  }
  if (!goaway_.empty()) {
    out.set("goaway", goaway_);
  }
  if (!wire_->ended.empty()) {
    out.set("then", text(wire_->ended));
  }
  co_return out;
}

Pairs Http2Client::headers_of(Spec spec, std::string_view scheme) {
  const Pairs given = request_headers(spec, ":authority");
  Pairs all;
  for (const auto& [name, value] : Pairs{{":method", as_bytes(spec["method"].text("GET"))},
                                         {":scheme", std::string(scheme)},
                                         {":path", as_bytes(spec["path"].text("/"))}}) {
    if (!has_header(given, name)) {
      all.emplace_back(name, value);
    }
  }
  // Pseudo fields come first.
  std::copy_if(given.begin(), given.end(), std::back_inserter(all),
               [](const auto& h) { return h.first.starts_with(':'); });
  std::copy_if(given.begin(), given.end(), std::back_inserter(all),
               [](const auto& h) { return !h.first.starts_with(':'); });
  for (const Spec& without : spec["without"].list()) {
    std::erase_if(all, [&without](const auto& h) { return without.says(h.first); });
  }
  return all;
}

Task<void> Http2Client::one(Spec spec, Request& request) {
  if (!wire_->ended.empty() || !goaway_.empty()) {
    request.result.set("ended", wire_->ended.empty() ? Value("goaway") : text(wire_->ended));
    request.done = true;
    co_return;
  }
  Stream& stream = kept_.emplace_back();
  stream.reads = !spec.has("read") || spec["read"].truthy();
  const bool more = spec["trailers"].truthy() || !body_of(spec).empty();
  const bool last = !spec.has("end_stream") || spec["end_stream"].truthy();
  const int32_t id = send_headers(-1, headers_of(spec, scheme_), last && !more ? Last::kYes : Last::kNo);
  streams_[id] = &stream;
  co_await send(spec, id, stream);
  (void)co_await until_ended(stream, spec["timeout_ms"].ms(5000));
  if (stream.ended.empty()) {
    stream.ended = wire_->why();
  }
  request.result = stream.tell();
  request.done = true;
}

// What follows the headers.
Task<void> Http2Client::send(Spec spec, int32_t id, Stream& stream) {
  const bool last = !spec.has("end_stream") || spec["end_stream"].truthy();
  if (spec["wait_100"].truthy()) {
    (void)co_await wire_->until([&stream] { return !stream.interim.empty() || stream.has_headers; }, 1s);
  }
  if (spec["body_delay_ms"].truthy()) {
    (void)co_await until_ended(stream, spec["body_delay_ms"].ms());
  }
  std::string body = body_of(spec);
  const Pairs trailers = spec["trailers"].pairs();
  if (!body.empty() && stream.ended.empty()) {
    send_body(id, std::move(body), last && trailers.empty() ? Last::kYes : Last::kNo);
    (void)co_await wire_->until([this, &stream, id] { return body_sent(id) || !stream.ended.empty(); },
                                spec["timeout_ms"].ms(5000));
  }
  if (!trailers.empty() && stream.ended.empty()) {
    send_headers(id, trailers, Last::kYes);
  }
  if (spec.has("abort_after_ms")) {
    const bool ended = co_await until_ended(stream, spec["abort_after_ms"].ms());
    if (!ended && wire_->ended.empty()) {
      send_reset(id, http2_code("CANCEL"));
      stream.ended = "aborted";
    }
  }
}

Value::Map Http2Client::Stream::tell() const {
  Value::Map out;
  if (!interim.empty()) {
    out.set("interim", interim);
  }
  if (has_headers) {
    out.set("status", number(status));
    out.set("headers", pairs(headers));
  }
  if (!raw.empty() || has_headers) {
    out.set("body", bytes(raw));
  }
  if (has_trailers) {
    out.set("trailers", pairs(trailers));
  }
  out.set("ended", text(ended));
  return out;
}

void Http2Client::on_headers(int32_t id, Pairs headers) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    return;
  }
  Stream& stream = *found->second;
  if (stream.has_headers) {
    stream.trailers = std::move(headers);
    stream.has_trailers = true;
    return;
  }
  const int status = take_status(headers);
  if (status >= 100 && status < 200) {
    Value::Map one;
    one.set("status", number(status));
    one.set("headers", pairs(headers));
    stream.interim.emplace_back(std::move(one));
    return;
  }
  stream.has_headers = true;
  stream.status = status;
  stream.headers = std::move(headers);
}

void Http2Client::on_data(int32_t id, std::string_view data) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    return;
  }
  found->second->raw += data;
  if (found->second->reads) {
    consume(id, data.size());
  }
}

void Http2Client::on_stream_ended(int32_t id) {
  if (const auto found = streams_.find(id); found != streams_.end()) {
    found->second->ended = "complete";
  }
}

void Http2Client::on_reset(int32_t id, uint32_t code) {
  if (const auto found = streams_.find(id); found != streams_.end() && found->second->ended.empty()) {
    found->second->ended = cat("reset:", http2_code_name(code));
  }
}

void Http2Client::on_goaway(uint32_t code, int32_t last_stream) {
  goaway_.set("code", http2_code_name(code));
  goaway_.set("last_stream", number(last_stream));
}

void Http2Client::on_settings(const nghttp2_settings& settings) {
  if (!peer_settings_.is_null()) {
    return;
  }
  Value::Map seen;
  for (size_t i = 0; i < settings.niv; ++i) {
    seen.set(http2_setting_name(settings.iv[i].settings_id), number(settings.iv[i].value));
  }
  peer_settings_ = std::move(seen);
}

}  // namespace sluice::player
