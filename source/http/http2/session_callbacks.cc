// nghttp2's callbacks, and how a session begins.
#include <algorithm>
#include <span>
#include <vector>

#include "base/check.h"
#include "http/http2/session.h"

namespace sluice::http::http2 {

struct Session::Callbacks {
  static Session& of(void* user) { return *static_cast<Session*>(user); }
  static std::string_view text(nghttp2_rcbuf* bytes) {
    const nghttp2_vec view = nghttp2_rcbuf_get_buf(bytes);
    return {reinterpret_cast<const char*>(view.base), view.len};
  }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    return of(user).on_frame_head(*head);
  }
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return of(user).on_begin_headers(*frame);
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t,
                    void* user) {
    return of(user).on_header(*frame, text(name), text(value));
  }
  // Without this nghttp2 would leave such fields out and go on.
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*, uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  static int frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) { return of(user).on_frame(*frame); }
  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
    return of(user).on_invalid_frame(*frame, error);
  }
  static int data_chunk(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* bytes, size_t size, void* user) {
    of(user).on_chunk(static_cast<StreamId>(stream), {reinterpret_cast<const char*>(bytes), size});
    return 0;
  }
  static int stream_close(nghttp2_session*, int32_t stream, uint32_t code, void* user) {
    of(user).on_closed(static_cast<StreamId>(stream), code);
    return 0;
  }
  static int frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    of(user).on_sent_frame(*frame);
    return 0;
  }
  static int frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    of(user).on_not_sent(*frame);
    return 0;
  }
  static ssize_t read(nghttp2_session*, int32_t, uint8_t*, size_t length, uint32_t* flags, nghttp2_data_source* source,
                      void* user) {
    return of(user).provide(*static_cast<Stream*>(source->ptr), length, *flags);
  }
  static int send_data(nghttp2_session*, nghttp2_frame*, const uint8_t* head, size_t length,
                       nghttp2_data_source* source, void* user) {
    of(user).send_data(*static_cast<Stream*>(source->ptr), head, length);
    return 0;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    SLUICE_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frame_not_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    return callbacks;
  }
};

namespace {

std::vector<nghttp2_settings_entry> with_custom(std::span<const nghttp2_settings_entry> usual,
                                                std::span<const Http2Setting> custom) {
  std::vector<nghttp2_settings_entry> out(usual.begin(), usual.end());
  for (const Http2Setting& one : custom) {
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const nghttp2_settings_entry& entry) { return entry.settings_id == one.id; });
    if (same == out.end()) {
      out.push_back({one.id, one.value});
    } else {
      same->value = one.value;
    }
  }
  return out;
}

}  // namespace

nghttp2_data_source_read_callback Session::read_callback() { return Callbacks::read; }

void Session::start() {
  static nghttp2_session_callbacks* const callbacks = Callbacks::make();
  nghttp2_option* option = nullptr;
  SLUICE_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);  // ours: head_reader
  nghttp2_option_set_max_outbound_ack(option, http2_.max_outbound_control_frames);
  // Resets are counted where time is the loop's (proxy/downstream_connection).
  nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
  // So that a block as large as the limit always passes, in frames of the smallest maximum.
  nghttp2_option_set_max_continuations(option, 8 + options_.max_head_bytes / (16 * 1024));
  // Until the peer's settings are here.
  nghttp2_option_set_peer_max_concurrent_streams(option, http2_.max_concurrent_streams);
  const int result = side_ == Side::kServer ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                                            : nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  SLUICE_CHECK(result == 0);

  nghttp2_settings_entry settings[5];
  size_t count = 0;
  settings[count++] = {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, http2_.hpack_table_size};
  if (side_ == Side::kServer) {
    settings[count++] = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, http2_.allow_connect ? 1u : 0u};
  } else {
    settings[count++] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  }
  settings[count++] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, http2_.max_concurrent_streams};
  settings[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, http2_.stream_window};
  if (http2_.custom_settings.empty()) {
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, count);
  } else {
    const auto all = with_custom({settings, count}, http2_.custom_settings);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, all.data(), all.size());
  }
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, static_cast<int32_t>(http2_.connection_window));
}

}  // namespace sluice::http::http2
