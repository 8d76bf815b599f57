// A header of the policy would be on the 404 too, and a browser would believe for a year that nothing is there.
// CloudFront runs this only when the origin answered below 400.
function handler(event) {
  var response = event.response;
  response.headers['cache-control'] = { value: 'public, max-age=31536000, immutable' };
  return response;
}
