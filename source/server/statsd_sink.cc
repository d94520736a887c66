#include "server/statsd_sink.h"

#include <utility>

#include "base/log.h"

namespace sluice::server {

StatsdSink::StatsdSink(const model::StatsSinkPlan& plan, Platform& platform, MainUpstream& upstreams)
    : plan_(plan), upstreams_(upstreams), lines_(plan.prefix) {
  if (plan_.address) datagrams_ = platform.make_datagrams(*plan_.address);
}

StatsdSink::~StatsdSink() {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->close(net::CloseHow::kFin);
}

void StatsdSink::flush(const stats::Registry& registry) {
  if (datagrams_ != nullptr) {
    lines_.write(registry, [this](std::string_view line) { datagrams_->send(line); });
    return;
  }
  if (full_ || waiting_.size() > kMaxWaiting) {
    SLUICE_LOG(kWarning, kMain, "the stats of an interval are lost: '", plan_.cluster, "' does not take them");
    // What is told next is what grew since now.
    lines_.write(registry, [](std::string_view) {});
    return;
  }
  lines_.write(registry, [this](std::string_view line) {
    waiting_ += line;
    waiting_ += '\n';
  });
  if (connection_ == nullptr) {
    connect();
  } else if (connected_) {
    send_lines();
  }
}

void StatsdSink::connect() {
  upstream::Cluster* cluster = upstreams_.clusters().find(plan_.cluster);
  const upstream::Chosen chosen = cluster == nullptr ? upstream::Chosen{} : cluster->choose_host({});
  if (chosen.host == nullptr) {
    waiting_.clear();
    return;
  }
  const net::Address nobody;
  connection_ = upstream::RawConnection::connect(*chosen.cluster, *chosen.host, upstreams_.local(), {nobody, nobody}, *this);
  if (connection_ == nullptr) waiting_.clear();
}

void StatsdSink::on_connected() {
  connected_ = true;
  connection_->want_read(true);
  send_lines();
}

void StatsdSink::send_lines() {
  buffer::Buffer lines(upstreams_.local().slabs);
  lines.append_copy(waiting_);
  waiting_ = {};
  connection_->send(lines);
}

void StatsdSink::on_upstream_end() {
  upstream::RawConnection* const ended = connection_;
  lost();
  ended->close(net::CloseHow::kFin);
}

// Lines go with their connection: when they are told twice a counter grows twice.
void StatsdSink::lost() {
  connection_ = nullptr;
  connected_ = full_ = false;
  waiting_.clear();
}

}  // namespace sluice::server
