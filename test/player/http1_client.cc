#include <chrono>

#include "base/strings.h"
#include "test/player/clients.h"

namespace sluice::player {

namespace {

using namespace std::chrono_literals;

bool has_head(const Wire& wire) { return wire.buf.find("\r\n\r\n") != std::string::npos; }

Head take_head(Wire& wire, Letters letters) {
  const std::string raw = wire.take(wire.buf.find("\r\n\r\n") + 4);
  return split_head(std::string_view(raw).substr(0, raw.size() - 4), letters);
}

int status_of(const Head& head) {
  const std::vector<std::string_view> words = split(head.first_line, ' ');
  return words.size() > 1 ? parse_number<int>(words[1]).value_or(0) : 0;
}

Value interim_of(int status, const Pairs& headers) {
  Value::Map one;
  one.set("status", number(status));
  one.set("headers", pairs(headers));
  return one;
}

std::string chunk_of(const std::string& body, const Pairs& trailers) {
  char size[32];
  std::snprintf(size, sizeof(size), "%zx\r\n", body.size());
  return cat(body.empty() ? "" : cat(size, body, "\r\n"), "0\r\n", header_lines(trailers), "\r\n");
}

}  // namespace

Pairs request_headers(const Spec& spec, std::string_view host_name) {
  Pairs headers = spec["headers"].pairs();
  const bool wanted = !spec.has("host") || !spec["host"].is_null();
  if (wanted && !has_header(headers, host_name)) {
    headers.insert(headers.begin(), {std::string(host_name), as_bytes(spec["host"].text("example.test"))});
  }
  return headers;
}

Task<Value::Map> Http1Client::request(Spec spec) {
  Wire& w = *wire_;
  const std::string method = as_bytes(spec["method"].text("GET"));
  const Duration limit = spec["timeout_ms"].ms(5000);
  std::string body = body_of(spec);
  Pairs headers = request_headers(spec, "host");
  const bool chunked = spec["chunked"].truthy() || spec["trailers"].truthy();
  if (!has_header(headers, "content-length") && !has_header(headers, "transfer-encoding")) {
    if (chunked) {
      headers.emplace_back("transfer-encoding", "chunked");
    } else if (!body.empty()) {
      headers.emplace_back("content-length", cat(body.size()));
    }
  }
  const std::string head = cat(method, " ", as_bytes(spec["path"].text("/")), " HTTP/", spec["version"].text("1.1"),
                               "\r\n", header_lines(headers), "\r\n");
  if (chunked) {
    body = chunk_of(body, spec["trailers"].pairs());
  }
  Response got;
  if (spec["wait_100"].truthy() || spec["body_delay_ms"].truthy()) {
    w.write(head);
    if (spec["wait_100"].truthy()) {
      const bool came = co_await w.until([&w] { return has_head(w); }, 1s);
      if (came && (w.buf.starts_with("HTTP/1.1 1") || w.buf.starts_with("HTTP/1.0 1"))) {
        const Head first = take_head(w, letters_);
        got.interim.push_back(interim_of(status_of(first), first.headers));
      }
    }
    if (spec["body_delay_ms"].truthy()) {
      (void)co_await w.until_end(spec["body_delay_ms"].ms());
    }
    w.write(body);
  } else {
    w.write(cat(head, body));  // at once: what the proxy sees first does not depend on luck
  }
  Value::Map out;
  if (spec.has("abort_after_ms")) {
    const bool over = co_await w.until_end(spec["abort_after_ms"].ms());
    if (!over) {
      spec["abort"].says("reset") ? w.reset() : w.close();
      out.set("ended", "aborted");
      co_return out;
    }
  }
  if (spec.has("read") && !spec["read"].truthy()) {
    out.set("ended", "not read");
    co_return out;
  }
  const Duration linger = spec["quick"].truthy() ? Duration(0) : Duration(5ms);
  out = co_await tell(method, limit, linger, got);
  const Value* status = out.find("status");
  if (spec.has("tunnel") && status != nullptr && (*status->as_number() == 101 || *status->as_number() == 200)) {
    Value::List moves = co_await tunnel(spec["tunnel"]);
    out.set("tunnel", std::move(moves));
  }
  co_return out;
}

Task<void> Http1Client::read_response(std::string_view method, Duration limit, Response& out) {
  Wire& w = *wire_;
  while (true) {
    const bool came = co_await w.until([&w] { return has_head(w); }, limit);
    if (!came) {
      out.ended = w.why();
      co_return;
    }
    Head head = take_head(w, letters_);
    const int status = status_of(head);
    if (status >= 100 && status < 200 && status != 101) {
      out.interim.push_back(interim_of(status, head.headers));
      continue;
    }
    out.status = status;
    out.version = head.first_line.substr(0, head.first_line.find(' '));
    out.headers = std::move(head.headers);
    break;
  }
  if (out.status == 101 || (method == "CONNECT" && out.status == 200)) {
    out.body.framing = "tunnel";
    out.body.ended = "complete";
  } else {
    const Framing framing = response_framing(out.headers, method, out.status);
    co_await read_body(w, framing, limit, out.body);
  }
  out.ended = out.body.ended;
}

Task<Value::Map> Http1Client::tell(std::string_view method, Duration limit, Duration linger, Response& got) {
  Wire& w = *wire_;
  co_await read_response(method, limit, got);
  Value::Map out;
  if (!got.interim.empty()) {
    out.set("interim", std::move(got.interim));
  }
  out.set("ended", text(got.ended));
  if (got.version.empty()) {
    if (!w.buf.empty()) {
      out.set("partial", bytes(w.take_all()));
    }
    co_return out;
  }
  out.set("status", number(got.status));
  out.set("version", text(got.version));
  out.set("headers", pairs(got.headers));
  out.set("body", bytes(got.body.raw));
  if (!got.body.trailers.empty()) {
    out.set("trailers", pairs(got.body.trailers));
  }
  out.set("framing", text(got.body.framing));
  if (got.body.framing != "tunnel" && got.ended == "complete") {
    bool closing = false;
    for (const auto& [name, value] : got.headers) {
      closing |= equal_ignore_case(name, "connection") && equal_ignore_case(value, "close");
    }
    linger = closing ? Duration(1500ms) : linger;
    (void)co_await w.until_end(linger);
    out.set("then", w.ended.empty() ? "open" : "closed");
  }
  co_return out;
}

// Bytes after an upgrade: moves one after another.
Task<Value::List> Http1Client::tunnel(Spec moves) {
  Wire& w = *wire_;
  Value::List out;
  for (const Spec& move : moves.list()) {
    if (move.has("send")) {
      w.write(as_bytes(move["send"].text()));
    }
    if (move.has("read")) {
      const size_t wanted = move["read"].size();
      (void)co_await w.until([&w, wanted] { return w.buf.size() >= wanted; }, 3s);
      out.push_back(bytes(w.take(wanted)));
    }
    if (move["half_close"].truthy()) {
      w.half_close();
    }
    if (move["wait_end"].truthy()) {
      (void)co_await w.until_end(3s);
      Value::Map end;
      end.set("ended", text(w.why()));
      out.push_back(std::move(end));
    }
    if (move["pause_ms"].truthy()) {
      (void)co_await w.until_end(move["pause_ms"].ms());
    }
  }
  co_return out;
}

}  // namespace sluice::player
