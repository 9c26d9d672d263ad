resource "aws_db_instance" "payroll" {
  identifier                          = "loonmotor-prod"
  engine                              = "postgres"
  engine_version                      = "16.4"
  instance_class                      = "db.m7g.large"
  allocated_storage                   = 200
  username                            = "loonmotor"
  manage_master_user_password         = true
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.client_files.arn
  publicly_accessible                 = false
  multi_az                            = true
  deletion_protection                 = true
  backup_retention_period             = 35
  auto_minor_version_upgrade          = true
  copy_tags_to_snapshot               = true
  iam_database_authentication_enabled = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  vpc_security_group_ids              = [aws_security_group.database.id]
}

# The client portal came from an older team: open, unencrypted, without logs.
resource "aws_db_instance" "portal" {
  identifier                  = "klantportaal"
  engine                      = "mysql"
  engine_version              = "8.0.39"
  instance_class              = "db.t4g.medium"
  allocated_storage           = 50
  username                    = "portaal"
  manage_master_user_password = true
  publicly_accessible         = true
  backup_retention_period     = 1
  skip_final_snapshot         = true
}

resource "aws_ebs_volume" "migration" {
  availability_zone = "eu-west-1a"
  size              = 500
}
