#include "filters/network/tcp_proxy/tunnel.h"

#include "base/strings.h"
#include "proxy/request_id.h"

namespace sluice::filters::tcp_proxy {

using upstream::ResetReason;

HttpTunnel* HttpTunnel::open(const TunnelPlan& plan, upstream::Cluster& cluster, upstream::Host& host,
                             upstream::WorkerLocal& worker, const format::Facts& facts, upstream::ByteStreamUser& user,
                             proxy::Accepted& client) {
  auto* tunnel = new HttpTunnel(plan, worker, user, client);
  http::RequestHeaders& request = tunnel->request_;
  std::string name;
  plan.hostname->append(name, facts);
  request.authority = tunnel->arena_.copy(name);
  if (plan.post) {
    request.method = "POST";
    request.path = plan.path;
    request.scheme = "http";
  } else {
    request.method = "CONNECT";
    request.tunnel = http::Tunnel::kConnect;
  }
  if (!plan.id_header.empty()) tunnel->add_id();
  plan.headers.apply(request, facts);
  cluster.pool(host, cluster.kind_for(0, http::Protocol::kHttp11)).request(*tunnel, 0);
  return tunnel->over_ ? nullptr : tunnel;
}

void HttpTunnel::add_id() {
  char id[proxy::kUuidSize];
  proxy::write_uuid4(worker_.random, id);
  const std::string_view text(id, sizeof(id));
  request_.fields.add_copy(plan_.id_header, text);
  client_.found().metadata.set("envoy.filters.network.tcp_proxy", plan_.id_key, text);
}

void HttpTunnel::on_stream(upstream::UpstreamStream& stream) {
  stream_ = &stream;
  local_ = stream.local_address();
  remote_ = stream.remote_address();
  if (const net::TlsFacts* tls = stream.tls()) tls_ = tls->texts().shared_from_this();
  id_ = stream.connection_id();
  whole_room_ = stream.room();
  stream.send_headers(request_, http::End::kNo);
}

void HttpTunnel::on_response_trailers(http::HeaderMap& trailers) {
  stream_ = nullptr;
  if (plan_.keep_trailers) keep("envoy.tcp_proxy.propagate_response_trailers", trailers, 0);
  response_ended();
}

// As Envoy shows them: a list of names and values, the status first.
void HttpTunnel::keep(std::string_view name, const http::HeaderMap& fields, uint16_t status) {
  std::string text;
  const auto add = [&text](std::string_view key, std::string_view value) {
    append(text, text.empty() ? "" : ",", "{\"key\":", json_quote(key), ",\"value\":", json_quote(value), "}");
  };
  if (status != 0) add(":status", cat(status));
  for (const http::HeaderField& field : fields) add(field.name(), field.value());
  client_.found().filter_state.set({.key = std::string(name), .json = cat("{\"headers\":[", text, "]}")});
}

void HttpTunnel::on_response_headers(http::ResponseHeaders& headers, http::End end) {
  const bool accepted = headers.status / 100 == 2;
  if (end == http::End::kYes) {
    stream_ = nullptr;
  }
  if (plan_.keep_headers) keep("envoy.tcp_proxy.propagate_response_headers", headers.fields, headers.status);
  if (!accepted) {
    fail(ResetReason::kConnectFailure, "");
    return;
  }
  open_ = true;
  user_.on_connected();
  if (end == http::End::kYes && !over_) {
    response_ended();
  }
}

void HttpTunnel::on_response_data(buffer::Buffer& data, http::End end) {
  if (end == http::End::kYes) {
    stream_ = nullptr;
  }
  if (!data.empty()) {
    user_.on_upstream_data(data);
  }
  if (end == http::End::kYes && !over_) {
    response_ended();
  }
}

// The stream is over with its response; what the client still says goes nowhere.
void HttpTunnel::response_ended() { user_.on_upstream_end(); }

void HttpTunnel::on_stream_reset(ResetReason reason, std::string_view details) {
  stream_ = nullptr;
  if (!open_) {
    fail(reason, details);
    return;
  }
  end();
  user_.on_lost();
}

void HttpTunnel::fail(ResetReason reason, std::string_view details) {
  const std::string text(details);
  end();
  user_.on_failed(reason, text);
}

void HttpTunnel::send(buffer::Buffer& data) {
  if (stream_ == nullptr || finished_) {
    data.clear();
    return;
  }
  stream_->send_data(data, http::End::kNo);
}

void HttpTunnel::finish() {
  if (stream_ != nullptr && !finished_) {
    finished_ = true;
    buffer::Buffer none(worker_.slabs);
    stream_->send_data(none, http::End::kYes);
    if (stream_->protocol() != http::Protocol::kHttp2) {
      flushed_.arm(Duration::zero());
    }
  }
}

// HTTP/1 has no end of one side of a tunnel: the connection closes when all is sent, as Envoy's does.
void HttpTunnel::check_flushed() {
  if (stream_ == nullptr) {
    return;
  }
  if (stream_->room() < whole_room_) {
    flushed_.arm(std::chrono::milliseconds(5));
    return;
  }
  response_ended();
}

void HttpTunnel::want_read(bool on) {
  if (stream_ == nullptr) {
    return;
  }
  if (on) {
    stream_->response_gate().open(net::Pause::kPeerFull);
  } else {
    stream_->response_gate().close(net::Pause::kPeerFull);
  }
}

void HttpTunnel::close(net::CloseHow) { end(); }

void HttpTunnel::end() {
  if (over_) {
    return;
  }
  over_ = true;
  flushed_.cancel();
  cancel();
  if (stream_ != nullptr) {
    std::exchange(stream_, nullptr)->reset();
  }
  worker_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::filters::tcp_proxy
