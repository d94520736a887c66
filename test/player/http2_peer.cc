#include "test/player/http2_peer.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::player {

namespace {

constexpr std::string_view kCodes[] = {"NO_ERROR",
                                       "PROTOCOL_ERROR",
                                       "INTERNAL_ERROR",
                                       "FLOW_CONTROL_ERROR",
                                       "SETTINGS_TIMEOUT",
                                       "STREAM_CLOSED",
                                       "FRAME_SIZE_ERROR",
                                       "REFUSED_STREAM",
                                       "CANCEL",
                                       "COMPRESSION_ERROR",
                                       "CONNECT_ERROR",
                                       "ENHANCE_YOUR_CALM",
                                       "INADEQUATE_SECURITY",
                                       "HTTP_1_1_REQUIRED"};

// By number; 7 is not used.
constexpr std::string_view kSettings[] = {"",
                                          "header_table_size",
                                          "enable_push",
                                          "max_concurrent_streams",
                                          "initial_window_size",
                                          "max_frame_size",
                                          "max_header_list_size",
                                          "",
                                          "enable_connect_protocol"};

constexpr int32_t kMoreWindow = 1 << 20;  // of a client's connection, beyond the protocol's 64 KiB

std::vector<nghttp2_nv> fields(const Pairs& headers) {
  std::vector<nghttp2_nv> out;
  for (const auto& [name, value] : headers) {
    out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                   reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                   NGHTTP2_NV_FLAG_NO_COPY_NAME});
  }
  return out;
}

// Cookies that came in several fields, as one.
void join_cookies(Pairs& headers) {
  std::string all;
  for (const auto& [name, value] : headers) {
    if (name == "cookie") {
      append(all, all.empty() ? "" : "; ", value);
    }
  }
  if (!all.empty()) {
    std::erase_if(headers, [](const auto& h) { return h.first == "cookie"; });
    headers.emplace_back("cookie", std::move(all));
  }
}

Http2Peer& self_of(void* user) { return *static_cast<Http2Peer*>(user); }

}  // namespace

std::string http2_code_name(uint32_t code) { return code < std::size(kCodes) ? std::string(kCodes[code]) : cat(code); }

uint32_t http2_code(std::string_view name) {
  return static_cast<uint32_t>(std::find(std::begin(kCodes), std::end(kCodes), name) - std::begin(kCodes));
}

std::string http2_setting_name(int32_t id) {
  const bool known = id > 0 && static_cast<size_t>(id) < std::size(kSettings) && !kSettings[id].empty();
  return known ? std::string(kSettings[id]) : cat(id);
}

Http2Peer::Http2Peer(Wire& wire, Side side, const Spec& settings) : link_(wire) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
                                                         self_of(user).on_frame(*frame);
                                                         return 0;
                                                       });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_length,
                    const uint8_t* value, size_t value_length, uint8_t, void* user) {
        self_of(user).incoming_[frame->hd.stream_id].emplace_back(
            std::string(reinterpret_cast<const char*>(name), name_length),
            std::string(reinterpret_cast<const char*>(value), value_length));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t length, void* user) {
        self_of(user).on_data(stream, {reinterpret_cast<const char*>(data), length});
        return 0;
      });
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  const int made = side == Side::kClient ? nghttp2_session_client_new2(&session_, callbacks, this, option)
                                         : nghttp2_session_server_new2(&session_, callbacks, this, option);
  SLUICE_CHECK(made == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);

  std::map<int32_t, uint32_t> values = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100},
                                        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 65536}};
  for (const auto& [name, value] : settings.members()) {
    const auto known = std::find(std::begin(kSettings), std::end(kSettings), to_lower(name));
    values[static_cast<int32_t>(known - std::begin(kSettings))] = static_cast<uint32_t>(value.number());
  }
  std::vector<nghttp2_settings_entry> entries;
  for (const auto& [id, value] : values) {
    entries.push_back({id, value});
  }
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  if (side == Side::kClient) {
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 65535 + kMoreWindow);
  }
  flush();
}

Http2Peer::~Http2Peer() { nghttp2_session_del(session_); }

Task<void> Http2Peer::run() {
  Wire& w = link_;
  while (true) {
    const bool came = co_await w.until([&w] { return !w.buf.empty(); }, std::nullopt);
    if (!came) {
      break;
    }
    const std::string data = w.take_all();
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(data.data()), data.size());
    flush();
    if (taken < 0) {
      broken_ = true;
      break;
    }
  }
}

void Http2Peer::flush() {
  const uint8_t* data = nullptr;
  for (ssize_t n; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
    link_.write({reinterpret_cast<const char*>(data), static_cast<size_t>(n)});
  }
}

int32_t Http2Peer::send_headers(int32_t stream, Pairs headers, Last last) {
  const std::vector<nghttp2_nv> list = fields(sent_.emplace_back(std::move(headers)));
  const uint8_t flags = last == Last::kYes ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  const int32_t got = nghttp2_submit_headers(session_, flags, stream, nullptr, list.data(), list.size(), nullptr);
  flush();
  return got;
}

void Http2Peer::send_body(int32_t stream, std::string body, Last last) {
  outgoing_[stream] = {std::move(body), 0, last};
  const nghttp2_data_provider source{{}, &Http2Peer::read_body};
  const uint8_t flags = last == Last::kYes ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  nghttp2_submit_data(session_, flags, stream, &source);
  flush();
}

bool Http2Peer::body_sent(int32_t stream) const {
  const auto found = outgoing_.find(stream);
  return found == outgoing_.end() || found->second.sent == found->second.body.size();
}

ssize_t Http2Peer::read_body(nghttp2_session*, int32_t stream, uint8_t* to, size_t room, uint32_t* flags,
                             nghttp2_data_source*, void* self) {
  Outgoing& out = static_cast<Http2Peer*>(self)->outgoing_[stream];
  const size_t n = std::min(room, out.body.size() - out.sent);
  std::memcpy(to, out.body.data() + out.sent, n);
  out.sent += n;
  if (out.sent == out.body.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  return static_cast<ssize_t>(n);
}

void Http2Peer::send_reset(int32_t stream, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
  flush();
}

void Http2Peer::send_goaway(uint32_t code) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_), code, nullptr,
                        0);
  flush();
}

void Http2Peer::consume(int32_t stream, size_t bytes) { nghttp2_session_consume(session_, stream, bytes); }

void Http2Peer::on_frame(const nghttp2_frame& frame) {
  const int32_t stream = frame.hd.stream_id;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      join_cookies(incoming_[stream]);
      on_headers(stream, std::exchange(incoming_[stream], {}));
      break;
    case NGHTTP2_RST_STREAM:
      on_reset(stream, frame.rst_stream.error_code);
      return;
    case NGHTTP2_GOAWAY:
      on_goaway(frame.goaway.error_code, frame.goaway.last_stream_id);
      return;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) {
        on_settings(frame.settings);
      }
      return;
    case NGHTTP2_DATA:
      break;
    default:
      return;
  }
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    on_stream_ended(stream);
  }
}

}  // namespace sluice::player
