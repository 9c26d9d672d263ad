resource "aws_security_group" "database" {
  name        = "loonmotor-database"
  description = "PostgreSQL from the application subnet"
  vpc_id      = "vpc-0123456789abcdef0"

  ingress {
    description = "PostgreSQL"
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.16.0/20"]
  }
}

resource "aws_security_group" "administration" {
  name        = "beheer"
  description = "Administration"
  vpc_id      = "vpc-0123456789abcdef0"

  ingress {
    description = "SSH from anywhere"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
