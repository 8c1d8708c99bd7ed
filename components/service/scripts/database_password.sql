-- The password of a role. It is read from the terminal or, where there is none, from standard input.
\getenv role ROLE
SET password_encryption = 'scram-sha-256';
-- Two jobs that set it at a time would fail. The end of the connection gives the lock back.
SELECT pg_advisory_lock(hashtextextended('plinth.role', 0)) \g /dev/null
\password :"role"
