// RestSession: discovery by polling over HTTP, with JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "xds/session.h"

namespace sluice::xds {

// Asks for one subscription, again and again. Owned by its control plane. Thread: main.
class RestSession final : public Session, private AdsFetchOwner {
 public:
  RestSession(ControlPlane& plane, const Interest& only);

  void start() override;
  void stop() override;
  void resumed(config::ResourceType) override {}

 private:
  void interest_changed(TypeUsers& users, const InterestChange& change, Cause cause) override;
  void on_fetched(uint32_t status, std::string_view body) override;
  void on_fetch_failed(std::string_view why) override;

  void poll();
  void wait();
  void read(std::string_view body);
  std::string request() const;

  const config::ResourceType type_;
  bool started_ = false;
  std::string version_;
  std::unique_ptr<AdsFetch> fetch_;
  event::Timer next_;
};

}  // namespace sluice::xds
