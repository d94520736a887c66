#include <algorithm>
#include <chrono>
#include <map>

#include "base/strings.h"
#include "test/player/origin.h"

namespace sluice::player {

namespace {

using namespace std::chrono_literals;

std::string reason_of(int status) {
  static const std::map<int, std::string> kReasons = {{100, "Continue"},
                                                      {101, "Switching Protocols"},
                                                      {103, "Early Hints"},
                                                      {200, "OK"},
                                                      {204, "No Content"},
                                                      {301, "Moved Permanently"},
                                                      {302, "Found"},
                                                      {304, "Not Modified"},
                                                      {404, "Not Found"},
                                                      {429, "Too Many Requests"},
                                                      {500, "Internal Server Error"},
                                                      {502, "Bad Gateway"},
                                                      {503, "Service Unavailable"},
                                                      {504, "Gateway Timeout"}};
  const auto found = kReasons.find(status);
  return found == kReasons.end() ? "Status" : found->second;
}

std::string head_bytes(int status, const Pairs& headers, const std::string& reason) {
  return cat("HTTP/1.1 ", status, " ", reason, "\r\n", header_lines(headers), "\r\n");
}

void note_body(Record& record, const Body& body) {
  record.facts.set("body", bytes(body.raw));
  if (body.framing == "chunked") {
    record.facts.set("framing", "chunked");
  }
  if (!body.trailers.empty()) {
    record.facts.set("trailers", pairs(body.trailers));
  }
}

}  // namespace

Task<void> Origin::serve_http1(Wire& w, uint64_t number) {
  while (true) {
    const bool came = co_await w.until([&w] { return w.buf.find("\r\n\r\n") != std::string::npos; }, std::nullopt);
    if (!came) {
      break;
    }
    const std::string raw = w.take(w.buf.find("\r\n\r\n") + 4);
    const Head head = split_head(std::string_view(raw).substr(0, raw.size() - 4), letters_);
    const std::string& line = head.first_line;
    const size_t first = std::min(line.find(' '), line.size());
    const size_t last = line.rfind(' ');
    const std::string method = line.substr(0, first);
    const std::string target =
        last != std::string::npos && last > first ? line.substr(first + 1, last - first - 1) : "";
    const std::shared_ptr<Record> record =
        begin(w, number, to_lower(last == std::string::npos ? "" : line.substr(last + 1)));
    record->facts.set("method", text(method));
    record->facts.set("target", text(target));
    record->facts.set("headers", pairs(head.headers));
    record->facts.set("body", "");
    const Spec rule = rule_for(method, target, head.headers);
    const bool early = rule["early"].truthy();
    if (find_header(head.headers, "expect") == "100-continue" && (!rule.has("continue") || rule["continue"].truthy())) {
      w.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    const Framing framing = request_framing(head.headers);
    Body request;
    if (!early) {
      co_await read_body(w, framing, 20s, request);
      note_body(*record, request);
      if (rule["json"].truthy()) {
        record->facts.set("body", bytes(request.raw, Shown::kSortedJson));
      }
      if (request.ended != "complete") {
        record->ended = cat("request_", request.ended);
        co_return;
      }
    }
    const bool keep = co_await answer_http1(w, *record, rule, method, request);
    if (!keep) {
      co_return;
    }
    if (early) {
      record->ended.clear();
      co_await read_body(w, framing, 20s, request);
      note_body(*record, request);
      record->ended = request.ended == "complete" ? "complete" : cat("request_", request.ended);
    }
  }
  if (!w.buf.empty()) {
    const std::shared_ptr<Record> record = begin(w, number, "bytes");
    record->facts.set("received", bytes(w.buf));
    record->ended = w.ended;
  }
}

// Writes the scripted response; false when the connection is over.
Task<bool> Origin::answer_http1(Wire& w, Record& record, Spec rule, std::string_view method, Body& request) {
  if (rule["delay_ms"].truthy()) {
    const bool over = co_await w.until_end(rule["delay_ms"].ms());
    if (over) {
      record.ended = w.ended;
      co_return false;
    }
  }
  const Spec cut_at = rule["cut"];
  const std::string how = cut_at["how"].text("close");
  if (cut_at["at"].says("start")) {
    cut(w, record, how);
    co_return false;
  }
  const std::string then = rule["then"].text("open");
  if (rule.has("raw")) {
    w.write(as_bytes(rule["raw"].text()));
    record.ended = "complete";
    if (then != "open") {
      cut(w, record, then);
      co_return false;
    }
    co_return true;
  }
  for (const Spec& one : rule["interim"].list()) {
    const int status = static_cast<int>(one["status"].number());
    w.write(head_bytes(status, one["headers"].pairs(), reason_of(status)));
  }
  Reply answer = reply(rule, request.raw);
  const bool chunked = rule["chunked"].truthy() || rule["trailers"].truthy();
  const bool plain = answer.status == 101 || answer.status == 204 || (method == "CONNECT" && answer.status == 200);
  if (!plain && !has_header(answer.headers, "content-length") && !has_header(answer.headers, "transfer-encoding") &&
      !rule["until_close"].truthy()) {
    if (chunked) {
      answer.headers.emplace_back("transfer-encoding", "chunked");
    } else {
      answer.headers.emplace_back("content-length", cat(answer.body.size()));
    }
  }
  if (method == "HEAD" || answer.status == 304) {
    answer.body.clear();
  }
  w.write(head_bytes(answer.status, answer.headers,
                     rule.has("reason") ? as_bytes(rule["reason"].text()) : reason_of(answer.status)));
  if (cut_at["at"].says("headers")) {
    co_await stage_.sleep(20ms);
    cut(w, record, how);
    co_return false;
  }
  if (rule["body_delay_ms"].truthy()) {
    const bool over = co_await w.until_end(rule["body_delay_ms"].ms());
    if (over) {
      record.ended = w.ended;
      co_return false;
    }
  }
  if (plain && rule["tunnel"].truthy()) {
    const bool echo = rule["tunnel"].says("echo");
    co_await tunnel(w, record, echo);
    co_return false;
  }
  if (cut_at.truthy()) {
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", answer.body.size());
    w.write(cat(chunked ? size : "", std::string_view(answer.body).substr(0, cut_at["at"].size())));
    co_await stage_.sleep(20ms);
    cut(w, record, how);
    co_return false;
  }
  if (chunked && method != "HEAD" && answer.status != 204 && answer.status != 304) {
    const bool sent = co_await send_chunked(w, record, rule, answer.body);
    if (!sent) {
      co_return false;
    }
  } else {
    w.write(answer.body);
  }
  record.ended = "complete";
  if (rule["until_close"].truthy() || then == "close") {
    w.close();
    co_return false;
  }
  if (then == "reset") {
    w.reset();
    co_return false;
  }
  co_return true;
}

Task<bool> Origin::send_chunked(Wire& w, Record& record, Spec rule, std::string& body) {
  const Value* wanted = rule["chunked"].value();
  const bool sized = wanted != nullptr && wanted->as_boolean() == nullptr && rule["chunked"].truthy();
  const size_t most = std::max<size_t>(1, sized ? rule["chunked"].size() : body.size());
  for (size_t at = 0; at < body.size(); at += most) {
    const std::string part = body.substr(at, most);
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", part.size());
    w.write(cat(size, part, "\r\n"));
    if (rule["chunk_delay_ms"].truthy()) {
      const bool over = co_await w.until_end(rule["chunk_delay_ms"].ms());
      if (over) {
        record.ended = w.ended;
        co_return false;
      }
    }
  }
  w.write(cat("0\r\n", header_lines(rule["trailers"].pairs()), "\r\n"));
  co_return true;
}

Task<void> Origin::tunnel(Wire& w, Record& record, bool echo) {
  std::string got;
  while (true) {
    const bool came = co_await w.until([&w] { return !w.buf.empty(); }, std::nullopt);
    if (!came) {
      break;
    }
    const std::string data = w.take_all();
    got += data;
    if (echo) {
      w.write(data);
    }
  }
  record.facts.set("tunnel", bytes(got));
  record.ended = w.ended;
}

}  // namespace sluice::player
