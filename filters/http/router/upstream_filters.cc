#include "filters/http/router/upstream_filters.h"

#include "filters/http/router/attempt.h"

namespace sluice::filters::router {

void UpstreamFilters::request_headers_passed(http::RequestHeaders& headers, http::End end) {
  attempt_.put_headers(headers, end);
}

void UpstreamFilters::request_data_passed(buffer::Buffer& data, http::End end) { attempt_.put_data(data, end); }

void UpstreamFilters::request_trailers_passed(http::HeaderMap& trailers) { attempt_.put_trailers(trailers); }

void UpstreamFilters::response_headers_passed(http::ResponseHeaders& headers, http::End end) {
  attempt_.take_headers(headers, end);
}

void UpstreamFilters::response_data_passed(buffer::Buffer& data, http::End end) { attempt_.take_data(data, end); }

void UpstreamFilters::response_trailers_passed(http::HeaderMap& trailers) { attempt_.take_trailers(trailers); }

bool UpstreamFilters::request_ended() const { return attempt_.over(); }

bool UpstreamFilters::response_ended() const { return attempt_.over(); }

}  // namespace sluice::filters::router
