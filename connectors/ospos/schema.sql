-- The tables of Open Source Point of Sale that matter for stock, as its public schema states them. For tests; a shop has them already.

CREATE TABLE ospos_stock_locations (
  location_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  location_name varchar(255),
  deleted int NOT NULL DEFAULT 0
) ENGINE=InnoDB;

CREATE TABLE ospos_items (
  item_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(255) NOT NULL,
  item_number varchar(255),
  receiving_quantity decimal(15,3) NOT NULL DEFAULT 1,
  deleted int NOT NULL DEFAULT 0
) ENGINE=InnoDB;

CREATE TABLE ospos_item_quantities (
  item_id int NOT NULL,
  location_id int NOT NULL,
  quantity decimal(15,3) NOT NULL DEFAULT 0,
  PRIMARY KEY (item_id, location_id)
) ENGINE=InnoDB;

CREATE TABLE ospos_inventory (
  trans_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  trans_items int NOT NULL DEFAULT 0,
  trans_user int NOT NULL DEFAULT 0,
  trans_date timestamp NOT NULL DEFAULT current_timestamp(),
  trans_comment text NOT NULL,
  trans_location int NOT NULL,
  trans_inventory decimal(15,3) NOT NULL DEFAULT 0
) ENGINE=InnoDB;

CREATE TABLE ospos_sales (
  sale_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sale_time timestamp NOT NULL DEFAULT current_timestamp(),
  customer_id int,
  employee_id int NOT NULL DEFAULT 0,
  sale_status tinyint NOT NULL DEFAULT 0
) ENGINE=InnoDB;

CREATE TABLE ospos_sales_items (
  sale_id int NOT NULL,
  item_id int NOT NULL,
  line int NOT NULL DEFAULT 0,
  quantity_purchased decimal(15,3) NOT NULL DEFAULT 0,
  item_location int NOT NULL,
  PRIMARY KEY (sale_id, item_id, line)
) ENGINE=InnoDB;

CREATE TABLE ospos_receivings (
  receiving_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  receiving_time timestamp NOT NULL DEFAULT current_timestamp(),
  supplier_id int
) ENGINE=InnoDB;

CREATE TABLE ospos_receivings_items (
  receiving_id int NOT NULL,
  item_id int NOT NULL,
  line int NOT NULL,
  quantity_purchased decimal(15,3) NOT NULL DEFAULT 0,
  receiving_quantity decimal(15,3) NOT NULL DEFAULT 1,
  item_location int NOT NULL,
  PRIMARY KEY (receiving_id, item_id, line)
) ENGINE=InnoDB;
