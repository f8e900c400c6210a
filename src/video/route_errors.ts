const SHARED_ERRORS = {
  401: 'A key is required, or the key is wrong',
  429: 'More requests than RATE_LIMIT_REQUESTS_PER_MINUTE; Retry-After says when to come back',
  500: 'The model failed',
  503: 'The server is busy, video is switched off, or no installed model follows objects',
};

const SESSION_ERRORS = {
  ...SHARED_ERRORS,
  404: 'No such session',
  422: 'A field is invalid',
};

/** Why each route refuses. */
export const ERRORS = {
  start: {
    ...SHARED_ERRORS,
    400: 'The body is not JSON, or no or several sources are given',
    403: 'video_path is outside the video root, or there is none',
    404: 'video_path names nothing',
    409: 'session_id is taken',
    413: 'The body or the video is too large',
    415: 'Neither JSON nor multipart/form-data',
    422: 'A field is invalid, or the video cannot be read',
    503: 'MAX_CONCURRENT_SESSIONS are open (with Retry-After), the server is busy, video is switched off, or no installed model follows objects',
  },
  prompt: {
    ...SESSION_ERRORS,
    400: 'The body is not JSON',
    404: 'No such session or object',
    409: 'The session propagates',
  },
  propagate: {
    ...SESSION_ERRORS,
    400: 'The body is not JSON, or the session has no object',
    409: 'The session propagates already',
  },
  remove: { ...SESSION_ERRORS, 404: 'No such session or object', 409: 'The session propagates' },
  reset: { ...SESSION_ERRORS, 409: 'The session propagates' },
  session: SESSION_ERRORS,
  list: SHARED_ERRORS,
};
