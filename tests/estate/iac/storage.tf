# Client files: as they should be.

resource "aws_s3_bucket" "client_files" {
  bucket = "loonwijs-klantdossiers"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "client_files" {
  bucket = aws_s3_bucket.client_files.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.client_files.arn
    }
    bucket_key_enabled = true
  }
}

resource "aws_s3_bucket_public_access_block" "client_files" {
  bucket                  = aws_s3_bucket.client_files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "client_files" {
  bucket = aws_s3_bucket.client_files.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "client_files" {
  bucket        = aws_s3_bucket.client_files.id
  target_bucket = aws_s3_bucket.access_logs.id
  target_prefix = "klantdossiers/"
}

resource "aws_s3_bucket" "access_logs" {
  #checkov:skip=CKV_AWS_18: the bucket that receives the access logs does not log itself
  bucket = "loonwijs-toegangslogs"
}

resource "aws_s3_bucket_public_access_block" "access_logs" {
  bucket                  = aws_s3_bucket.access_logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# The website: public on purpose, but its access is neither blocked nor logged.

resource "aws_s3_bucket" "website" {
  bucket = "loonwijs-website"
}

resource "aws_s3_bucket_acl" "website" {
  bucket = aws_s3_bucket.website.id
  acl    = "public-read"
}
