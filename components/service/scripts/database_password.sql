-- The password of a role. It is read from the terminal or, where there is none, from standard input.
\getenv role ROLE
SET password_encryption = 'scram-sha-256';
\password :"role"
